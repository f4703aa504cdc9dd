# Runs Ruby's Net::SMTP, one job at a time; the protocol is that of harness/clients/workers.ts.
#
# It does what the documentation of Net::SMTP shows: Net::SMTP.new(...) with its keywords, start(helo:, user:,
# password:) with a block, send_message. The library believes that it talks to the peer by name: only where it opens
# its socket is that name replaced by the peer's address, so SNI and the name check are the library's own.

require 'json'
require 'net/smtp'
require 'openssl'

ANSWERS = $stdout.dup
# a puts somewhere belongs to the log, not between the answers
$stdout.reopen($stderr)
$stdout.sync = $stderr.sync = ANSWERS.sync = true

ADDRESSES = {}

module PeerAddress
  def tcp(host, *rest, **named, &block)
    super(ADDRESSES.fetch(host, host), *rest, **named, &block)
  end
end
Socket.singleton_class.prepend(PeerAddress)

def say(message)
  ANSWERS.puts(JSON.generate(message))
end

def ssl_context_params(job)
  params = { ca_file: job['caFile'] }
  params[:ciphers] = job['ciphers'] if job['ciphers']
  if job['certificate']
    params[:cert] = OpenSSL::X509::Certificate.new(File.read(job['certificate']))
    params[:key] = OpenSSL::PKey.read(File.read(job['key']))
  end
  params
end

# The keywords of the constructor that the policy asks for; its defaults where the policy is none of ours.
def keywords(job)
  given = { tls_verify: job['check'], ssl_context_params: ssl_context_params(job) }
  return given if job['policy'] == 'default'

  starttls = { 'never' => false, 'offered' => :auto, 'always' => :always, 'connect' => false }
  given.merge(tls: job['tls'] == 'connect', starttls: starttls.fetch(job['tls']))
end

# What the caller can see of the channel: the socket that the session writes to.
def encrypted?(smtp)
  smtp.instance_variable_get(:@socket)&.io.is_a?(OpenSSL::SSL::SSLSocket)
end

def deliver(job)
  smtp = Net::SMTP.new(job['hostName'], job['port'], **keywords(job))
  smtp.open_timeout = smtp.read_timeout = job['timeout']
  smtp.set_debug_output($stderr)
  credentials = job['user'] ? { user: job['user'], password: job['password'] } : {}
  told = nil
  smtp.start(helo: job['ehlo'], **credentials) do
    response = smtp.send_message(job['message'].unpack1('m'), job['from'], *job['to'])
    told = { delivered: true, text: response.string.chomp, encrypted: encrypted?(smtp) }
  end
  told
end

# Whatever the library raises is its word to its caller; a reply that refused comes with its code.
def failure(error)
  told = { delivered: false, text: "#{error.class}: #{error.message}" }
  code = error.response.status[/\A\d{3}/] if error.is_a?(Net::SMTPError) && error.response
  code ? told.merge(code: code.to_i) : told
end

def answer(job)
  ADDRESSES[job['hostName']] = job['address']
  deliver(job)
rescue StandardError => e
  failure(e)
ensure
  ADDRESSES.clear
end

say(ready: true)
$stdin.each_line do |line|
  job = JSON.parse(line)
  say(id: job['id'], answer: answer(job))
end
