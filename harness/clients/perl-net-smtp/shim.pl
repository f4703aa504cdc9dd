# Runs Perl's Net::SMTP, one job at a time; the protocol is that of harness/clients/workers.ts.
#
# It does what the documentation of Net::SMTP shows: new, supports, starttls, auth, mail, to, data, quit, and looks at
# what each returns. The library believes that it talks to the peer by name: only the resolver's answer for that name
# is replaced by the peer's address, so SNI and the name check are the library's own.

use strict;
use warnings;
use FindBin ();
use lib $FindBin::Bin;

# before IO::Socket::IP, which the others load
use PeerAddress ();

use IO::Socket::SSL ();
use JSON::PP ();
use MIME::Base64 ();
use Net::SMTP ();

open(my $answers, '>&', \*STDOUT) or die "standard output: $!";
# a print somewhere belongs to the log, not between the answers
open(STDOUT, '>&', \*STDERR) or die "standard error: $!";
$answers->autoflush(1);

my $json = JSON::PP->new->utf8->canonical;

sub say_it {
    my ($message) = @_;
    print {$answers} $json->encode($message), "\n";
}

# What the policy asks of IO::Socket::SSL, whose defaults check chain and name.
sub ssl_options {
    my ($job) = @_;
    return (
        ($job->{check} ? (SSL_ca_file => $job->{caFile}) : (SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE())),
        ($job->{ciphers} ? (SSL_cipher_list => $job->{ciphers}) : ()),
        ($job->{certificate} ? (SSL_cert_file => $job->{certificate}, SSL_key_file => $job->{key}) : ()),
    );
}

# What the library says of a failure: the reply that it read last, or why there is none.
sub failed {
    my ($smtp, $what) = @_;
    my $code = $smtp->code;
    my $text = join ' ', map { s/\s+\z//r } $smtp->message;
    die { text => "$what: $code $text", ($code =~ /\A[45]\d\d\z/ ? (code => $code + 0) : ()) };
}

sub connected {
    my ($job) = @_;
    my $smtp = Net::SMTP->new(
        Host    => $job->{hostName},
        Port    => $job->{port},
        Hello   => $job->{ehlo},
        Timeout => $job->{timeout},
        Debug   => 1,
        ($job->{tls} eq 'connect' ? (SSL => 1, ssl_options($job)) : ()),
    );
    return $smtp if $smtp;
    my $why = $@ || $! || 'no connection';
    $why =~ s/\s+\z//;
    # "Net::SMTP: 550 no", where the greeting or EHLO was refused
    die { text => "new: $why", ($why =~ /\ANet::SMTP\S*: ([45]\d\d) / ? (code => $1 + 0) : ()) };
}

sub deliver {
    my ($job) = @_;
    my $smtp = connected($job);
    my $wanted = $job->{tls} eq 'always' || $job->{tls} eq 'offered' && defined $smtp->supports('STARTTLS');
    if ($wanted && !$smtp->starttls(ssl_options($job))) {
        my $ssl = $IO::Socket::SSL::SSL_ERROR;
        die { text => "starttls: $ssl" } if $ssl && $smtp->code =~ /\A2/;
        failed($smtp, 'starttls');
    }
    if (defined $job->{user}) {
        $smtp->auth($job->{user}, $job->{password}) or failed($smtp, 'auth');
    }
    $smtp->mail($job->{from}) or failed($smtp, 'mail');
    for my $recipient (@{ $job->{to} }) {
        $smtp->to($recipient) or failed($smtp, 'to');
    }
    my $encrypted = ref $smtp && $smtp->isa('IO::Socket::SSL') ? JSON::PP::true() : JSON::PP::false();
    $smtp->data(MIME::Base64::decode_base64($job->{message})) or failed($smtp, 'data');
    my $reply = join ' ', $smtp->code, map { s/\s+\z//r } $smtp->message;
    $smtp->quit;
    return { delivered => JSON::PP::true(), text => $reply, encrypted => $encrypted };
}

sub answer {
    my ($job) = @_;
    local %PeerAddress::ADDRESSES = ($job->{hostName} => $job->{address});
    my $told = eval { deliver($job) };
    return $told if $told;
    my $error = $@;
    return { delivered => JSON::PP::false(), %$error } if ref $error eq 'HASH';
    $error =~ s/\s+\z//;
    return { delivered => JSON::PP::false(), text => $error };
}

say_it({ ready => JSON::PP::true() });
while (my $line = <STDIN>) {
    my $job = $json->decode($line);
    say_it({ id => $job->{id}, answer => answer($job) });
}
