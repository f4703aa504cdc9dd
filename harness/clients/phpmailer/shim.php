<?php

/**
 * Runs PHPMailer, one job at a time; the protocol is that of harness/clients/workers.ts. Started with the file that
 * loads PHPMailer.
 *
 * It does what a program that uses PHPMailer does: properties, then send(). The message is ready made, so send()'s
 * first half, which would make one, is left out; everything from smtpConnect() on is PHPMailer's own.
 */

require $argv[1];

use PHPMailer\PHPMailer\Exception;
use PHPMailer\PHPMailer\PHPMailer;
use PHPMailer\PHPMailer\SMTP;

/** Keeps what the last commands were answered, which QUIT would make PHPMailer forget. */
class WatchedSMTP extends SMTP
{
    /** The code of the last reply that was an error, 0 without one. */
    public int $refused = 0;
    public bool $encrypted = false;

    protected function setError($message, $detail = '', $smtp_code = '', $smtp_code_ex = '')
    {
        if (ctype_digit((string) $smtp_code) && (int) $smtp_code >= 400) {
            $this->refused = (int) $smtp_code;
        }
        parent::setError($message, $detail, $smtp_code, $smtp_code_ex);
    }

    public function data($msg_data)
    {
        $this->encrypted = isset(stream_get_meta_data($this->smtp_conn)['crypto']);

        return parent::data($msg_data);
    }
}

class ReadyMade extends PHPMailer
{
    public function sendMessage(string $message): bool
    {
        [$this->MIMEHeader, $this->MIMEBody] = explode("\r\n\r\n", $message, 2);

        return $this->postSend();
    }
}

function say(array $message): void
{
    fwrite(STDOUT, json_encode($message, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n");
}

/** PHP's options for TLS, which check chain and name unless told otherwise. */
function sslOptions(array $job): array
{
    $checks = $job['check']
        ? ['cafile' => $job['caFile']]
        : ['verify_peer' => false, 'verify_peer_name' => false, 'allow_self_signed' => true];
    $own = isset($job['certificate']) ? ['local_cert' => $job['certificate'], 'local_pk' => $job['key']] : [];
    $ciphers = isset($job['ciphers']) ? ['ciphers' => $job['ciphers']] : [];

    return ['peer_name' => $job['hostName']] + $checks + $own + $ciphers;
}

function mailer(array $job): ReadyMade
{
    $mail = new ReadyMade(true);
    $mail->isSMTP();
    $mail->Host = str_contains($job['address'], ':') ? "[{$job['address']}]" : $job['address'];
    $mail->Port = $job['port'];
    $mail->Helo = $job['ehlo'];
    $mail->Timeout = max(1, (int) $job['timeout']);
    $mail->SMTPDebug = SMTP::DEBUG_CONNECTION;
    $mail->Debugoutput = static fn (string $line) => fwrite(STDERR, rtrim($line) . "\n");
    $mail->SMTPOptions = ['ssl' => sslOptions($job)];
    if ($job['tls'] === 'never') {
        $mail->SMTPAutoTLS = false;
    } elseif ($job['tls'] === 'always') {
        $mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
    } elseif ($job['tls'] === 'connect') {
        $mail->SMTPSecure = PHPMailer::ENCRYPTION_SMTPS;
    }
    if (isset($job['user'])) {
        $mail->SMTPAuth = true;
        $mail->Username = $job['user'];
        $mail->Password = $job['password'];
    }
    $mail->setFrom($job['from'], '', true);
    array_map($mail->addAddress(...), $job['to']);

    return $mail;
}

function answer(array $job): array
{
    $smtp = new WatchedSMTP();
    $smtp->Timelimit = max(1, (int) $job['timeout']);
    try {
        $mail = mailer($job);
        $mail->setSMTPInstance($smtp);
        $mail->sendMessage(base64_decode($job['message']));

        return ['delivered' => true, 'text' => 'send() returned true', 'encrypted' => $smtp->encrypted];
    } catch (Exception $error) {
        $told = ['delivered' => false, 'text' => strip_tags($error->getMessage())];

        return $smtp->refused === 0 ? $told : $told + ['code' => $smtp->refused];
    }
}

ini_set('display_errors', 'stderr');
say(['ready' => true]);
while (($line = fgets(STDIN)) !== false) {
    $job = json_decode($line, true, 16, JSON_THROW_ON_ERROR);
    say(['id' => $job['id'], 'answer' => answer($job)]);
}
