#!/usr/bin/perl
# Opens the netlink sockets of the firewall helper and becomes the program that its arguments name:
#   perl launcher.pl exec /usr/bin/node --jitless main.js
# Node cannot open such sockets, but reads and writes inherited ones. Perl is here because Debian's
# essential package perl-base brings it everywhere; nothing but what that package holds is used.
#
# What the program finds:
#   0-3  as they were given to this one
#   4    requests: AF_NETLINK, NETLINK_NETFILTER. A read gives up after 5 s with EAGAIN. Errors come
#        with what the kernel says about them, and without a copy of the request.
#   5    events: the same, joined to the group of nf_tables. A read gives up after 1 s with EAGAIN.
# Where one of them cannot be opened both are missing, and the reason is on standard error. The buffers
# are as large as the rights of this process allow.
use strict;
use warnings;
use POSIX ();
use Socket qw(SOCK_RAW SOL_SOCKET SO_RCVTIMEO);

# linux/netlink.h, asm-generic/socket.h, linux/netfilter/nfnetlink.h
use constant {
    AF_NETLINK        => 16,
    NETLINK_NETFILTER => 12,
    SOL_NETLINK       => 270,
    NETLINK_CAP_ACK   => 10,
    NETLINK_EXT_ACK   => 11,
    SO_SNDBUFFORCE    => 32,
    SO_RCVBUFFORCE    => 33,
    NFTABLES_GROUP    => 1 << (7 - 1),
};
use constant MIB => 1024 * 1024;

my ($mode, @program) = @ARGV;
die "bailiff-firewall: it is told exec, and a program\n" unless @program && $mode eq 'exec';

# The program inherits descriptors up to this one; all others close when it starts.
$^F = 5;

# Not inside of the eval, whose end would close them.
my ($requests, $events);
eval {
    # A million elements are one message of 40 MB.
    $requests = open_netlink(0, 5, 96 * MIB, 8 * MIB);
    setsockopt($requests, SOL_NETLINK, NETLINK_CAP_ACK, pack('i', 1));
    setsockopt($requests, SOL_NETLINK, NETLINK_EXT_ACK, pack('i', 1));
    $events = open_netlink(NFTABLES_GROUP, 1, 0, 8 * MIB);
    POSIX::dup2(fileno($requests), 4) // die "descriptor 4: $!\n";
    POSIX::dup2(fileno($events), 5) // die "descriptor 5: $!\n";
    1;
} or do {
    print STDERR "no netlink: $@";
    POSIX::close($_) for 4, 5;
};
exec { $program[0] } @program or die "$program[0]: $!\n";

sub open_netlink {
    my ($groups, $seconds, $send, $receive) = @_;
    socket(my $socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) or die "socket: $!\n";
    # struct sockaddr_nl; the kernel chooses the port.
    bind($socket, pack('S x2 L L', AF_NETLINK, 0, $groups)) or die "bind: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_RCVTIMEO, pack('l! l!', $seconds, 0)) or die "SO_RCVTIMEO: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_SNDBUFFORCE, pack('i', $send)) if $send;
    setsockopt($socket, SOL_SOCKET, SO_RCVBUFFORCE, pack('i', $receive));
    return $socket;
}
