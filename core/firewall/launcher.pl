# Starts the firewall helper with what Node cannot open: netlink sockets. Needs only perl-base.
#
#   perl launcher.pl exec PROGRAM ARGUMENT...   becomes the program; who supervises it is somebody else
#   perl launcher.pl keep PROGRAM ARGUMENT...   starts the program when somebody connects to the listening
#       socket that is descriptor 3, and again after it ended. "k" on standard input kills it. The end of
#       standard input, which is the end of the agent however it came about, ends both.
#
# The program gets: 0 /dev/null, or with `keep` a pipe whose end is the end of this process; 1 and 2 as
# they are; 3 the listening socket; and, of AF_NETLINK and NETLINK_NETFILTER,
#   4  requests. A read gives up after 5 s with EAGAIN. Errors come with what the kernel says about them,
#      and without a copy of the request.
#   5  events: joined to the group of nf_tables. A read gives up after 1 s with EAGAIN.
#   6  requests about tracked connections: as 4, apart from it so that a long list holds up no ban.
# Where one of them cannot be opened all are missing, and the reason is on standard error. The buffers
# are as large as the rights of this process allow. Whatever else is open is closed.
#
# It has the rights of the helper and no more, reads one letter at a time, and runs no shell.
use strict;
use warnings;
use Fcntl qw(F_DUPFD);
use POSIX ();
use Socket qw(SOL_SOCKET SOCK_RAW SO_RCVTIMEO);

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
use constant { SHORTEST_PAUSE => 0.1, LONGEST_PAUSE => 5, SETTLED_SECONDS => 60, EARLY_SECONDS => 10, END_SECONDS => 0.7 };
# The exit code of a program that could not be started, as a shell gives it.
use constant NOT_STARTED => 126;

my ($mode, @program) = @ARGV;
if (!@program || $mode !~ /^(?:exec|keep)$/) {
    print STDERR "bailiff-firewall: it is told exec or keep, and a program\n";
    exit 2;
}
close_others();
$mode eq 'exec' ? start() : keep();

# Whoever started this may have left descriptors open that are not for the helper.
sub close_others {
    opendir(my $folder, '/proc/self/fd') or return;
    my @open = grep { /^\d+$/ && $_ > 3 && $_ != fileno($folder) } readdir $folder;
    closedir $folder;
    POSIX::close($_) for @open;
}

# Becomes the program.
sub start {
    eval { give_netlink(); 1 } or print STDERR "no netlink: $@";
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE CHLD);
    { no warnings 'exec'; exec { $program[0] } @program; }
    print STDERR "$program[0] cannot be started: $!\n";
    POSIX::_exit(NOT_STARTED);
}

# Makes 4, 5 and 6 what they are to be; where that fails, it dies and all are closed.
sub give_netlink {
    my @high = eval {
        # A million elements are one message of 40 MB.
        my $requests = open_netlink(0, 5, 96 * MIB, 8 * MIB);
        setsockopt($requests, SOL_NETLINK, NETLINK_CAP_ACK, pack('i', 1));
        setsockopt($requests, SOL_NETLINK, NETLINK_EXT_ACK, pack('i', 1));
        my $events = open_netlink(NFTABLES_GROUP, 1, 0, 8 * MIB);
        my $connections = open_netlink(0, 5, 0, 8 * MIB);
        # By way of high numbers: these handles may have 4 to 6, and close them with their variables.
        map { fcntl($_, F_DUPFD, 10) // die "no descriptor: $!\n" } $requests, $events, $connections;
    };
    my $why = $@;
    POSIX::close($_) for 4 .. 6;
    die $why unless @high;
    for my $descriptor (4 .. 6) {
        my $high = shift @high;
        POSIX::dup2($high, $descriptor) // die "descriptor $descriptor: $!\n";
        POSIX::close($high);
    }
}

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

sub keep {
    # The agent decides when it ends, also when a terminal signals the whole group.
    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
    $SIG{CHLD} = sub { };
    my ($pause, $first) = (SHORTEST_PAUSE, 1);
    while (wait_for_connection()) {
        my $started = time;
        my $code = live();
        # It never worked: who started this is told, instead of being left to wait.
        exit $code if $code == NOT_STARTED || ($code && $first && time - $started < EARLY_SECONDS);
        $first = 0;
        $pause = SHORTEST_PAUSE if time - $started >= SETTLED_SECONDS;
        my $until = now() + $pause;
        while ((my $left = $until - now()) > 0) { exit 0 unless defined heard($left) }
        $pause = $pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : $pause * 2;
    }
}

# One life of the program: answers its exit code, 0 after a signal.
sub live {
    pipe(my $end, my $hold) or die "bailiff-firewall: no pipe: $!\n";
    my $child = fork // die "bailiff-firewall: no process: $!\n";
    if (!$child) {
        POSIX::dup2(fileno($end), 0);
        start();
    }
    close $end;
    while (waitpid($child, POSIX::WNOHANG()) == 0) {
        my $letters = heard(1);
        kill 'KILL', $child if defined $letters && $letters =~ /k/;
        finish($child, $hold) unless defined $letters;
    }
    return $? & 127 ? 0 : $? >> 8;
}

# Lets the program end what it does, and ends with it.
sub finish {
    my ($child, $hold) = @_;
    close $hold;
    my $until = now() + END_SECONDS;
    while (waitpid($child, POSIX::WNOHANG()) == 0) {
        kill 'KILL', $child if now() > $until;
        select(undef, undef, undef, 0.02);
    }
    exit 0;
}

# What came on standard input within so many seconds, perhaps nothing; undef where it has ended.
sub heard {
    my ($seconds) = @_;
    vec(my $wanted = '', 0, 1) = 1;
    return '' unless select($wanted, undef, undef, $seconds) > 0;
    my $letters = '';
    return sysread(STDIN, $letters, 4096) ? $letters : undef;
}

# Whether somebody connects, which may take for ever; no where standard input ends.
sub wait_for_connection {
    while (1) {
        local $_;
        vec(my $wanted = '', 0, 1) = 1;
        vec($wanted, 3, 1) = 1;
        next unless select($wanted, undef, undef, undef) > 0;
        return 0 if vec($wanted, 0, 1) && !sysread(STDIN, $_, 4096);
        return 1 if vec($wanted, 3, 1);
    }
}

sub now { return (POSIX::times())[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK()) }
