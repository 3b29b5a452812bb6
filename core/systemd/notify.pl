# Sends each line of standard input as a datagram to the Unix socket that NOTIFY_SOCKET names, as
# sd_notify(3) wants it, until standard input ends. Node has no such sockets. Needs only perl-base.
use strict;
use warnings;
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);

my $name = $ENV{NOTIFY_SOCKET} // die "NOTIFY_SOCKET is not set\n";
# An abstract name begins with NUL, which an environment cannot hold.
$name =~ s/^@/\0/;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
while (defined(my $line = <STDIN>)) {
    chomp $line;
    send($socket, $line, 0, pack_sockaddr_un($name)) // print STDERR "$!\n";
}
