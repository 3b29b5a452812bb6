# Sends each line of standard input as a datagram to the Unix socket that the first word names, until standard
# input ends; a NUL in a line stands for a newline. Node has no such sockets. Needs only perl-base.
use strict;
use warnings;
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);

my $name = shift // die "no socket is named\n";
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
$| = 1;
while (defined(my $line = <STDIN>)) {
    chomp $line;
    $line =~ tr/\0/\n/;
    # By name each time: who listens may have been started anew.
    send($socket, $line, 0, pack_sockaddr_un($name)) // print STDERR "$!\n";
}
