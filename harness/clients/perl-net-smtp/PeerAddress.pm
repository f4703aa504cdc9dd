# The name of a peer and its address, for Perl programs that find their hosts by Socket::getaddrinfo, as IO::Socket::IP
# does: only the resolver's answer for that name is replaced. Loaded before IO::Socket::IP, which takes getaddrinfo from
# Socket when it is loaded.
package PeerAddress;

use strict;
use warnings;
use Socket ();

# A program that is started for one peer has them in its environment.
our %ADDRESSES = defined $ENV{BADMX_NAME} ? ($ENV{BADMX_NAME} => $ENV{BADMX_ADDRESS}) : ();

my $resolve = \&Socket::getaddrinfo;
{
    no warnings 'redefine';
    *Socket::getaddrinfo = sub {
        my ($host, @rest) = @_;
        return $resolve->(defined $host && exists $ADDRESSES{$host} ? $ADDRESSES{$host} : $host, @rest);
    };
}

# Net::SMTP's limit for each wait where its caller gives none, in seconds; by default 120.
if (defined $ENV{BADMX_TIMEOUT}) {
    require Net::SMTP;
    my $new = \&Net::SMTP::new;
    no warnings 'redefine';
    *Net::SMTP::new = sub {
        my ($class, @arguments) = @_;
        return $new->($class, @arguments, Timeout => $ENV{BADMX_TIMEOUT});
    };
}

1;
