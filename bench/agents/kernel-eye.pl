# Prints a line for each address that enters a set of the table `bailiff` of its network namespace: when (unix seconds), and the
# address (dotted quad, or hexadecimal for IPv6). It hears what the kernel itself tells (NFNLGRP_NFTABLES), since `nft monitor`
# lags by seconds where there are large sets. Message formats: include/uapi/linux/netfilter/nf_tables.h.
use strict;
use warnings;
use Socket qw(SOCK_RAW inet_ntoa);
use Time::HiRes qw(time);

use constant { AF_NETLINK => 16, NETLINK_NETFILTER => 12, NFTABLES_GROUP => 1 << 6, SO_RCVBUFFORCE => 33, NEW_ELEMENTS => 0x0a0c };

socket(my $kernel, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) or die "socket: $!";
setsockopt($kernel, Socket::SOL_SOCKET(), SO_RCVBUFFORCE, pack('l', 512 * 1024 * 1024)) or die "setsockopt: $!";
bind($kernel, pack('S S L L', AF_NETLINK, 0, 0, NFTABLES_GROUP)) or die "bind: $!";
$| = 1;
print "listening\n";
while (1) {
  defined recv($kernel, my $data, 1 << 20, 0) or next;
  my ($now, $told) = (time, '');
  while (length $data >= 16) {
    my ($length, $type) = unpack 'L S', $data;
    last if $length < 16;
    my $message = substr $data, 0, $length;
    $data = substr $data, $length < length $data ? ($length + 3) & ~3 : length $data;
    next unless $type == NEW_ELEMENTS && index($message, "bailiff\0") > 0;
    # The key of an element: NFTA_SET_ELEM_KEY around NFTA_DATA_VALUE.
    $told .= "$now " . inet_ntoa($1) . "\n" while $message =~ /\x0c\x00\x01[\x00\x80]\x08\x00\x01\x00(....)/gs;
    $told .= "$now " . unpack('H*', $1) . "\n" while $message =~ /\x18\x00\x01[\x00\x80]\x14\x00\x01\x00(.{16})/gs;
  }
  print $told if $told ne '';
}
