package Bench;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Running things for a benchmark: servers pinned to a core, wrk, the CPU time
# of a process, and the few sums that a table needs.  Knows no variant and
# judges nothing.

use warnings;
use strict;

use File::Path qw(make_path);
use FindBin;
use IO::Handle;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

use lib "$FindBin::RealBin/../lib";
use Test::Constraint::Client;


# new(dir, gate_core, load_core, binary): cores undef = not pinned

sub new {
    my ($class, %opt) = @_;
    return bless { %opt, owner => $$, started => [] }, $class;
}


sub slurp {
    my ($file) = @_;

    open(my $fh, '<:raw', $file) or return '';
    local $/;
    return scalar(<$fh>) // '';
}


sub write_file {
    my ($file, $text) = @_;

    open(my $fh, '>:raw', $file) or die "cannot write $file: $!\n";
    print $fh $text;
    close($fh) or die "cannot write $file: $!\n";
    return $file;
}


# free_port(): free now; whoever takes it first shows when nginx starts

sub free_port {
    my $socket = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
        LocalAddr => '127.0.0.1:0') or die "no free port: $!\n";

    return $socket->sockport();
}


sub pinned {
    my ($core, @command) = @_;
    return defined $core ? ('taskset', '-c', $core, @command) : @command;
}


# start(NAME, CORE, MAIN, HTTP): an nginx of one worker; MAIN and HTTP are
# what its configuration holds besides the common lines

sub start {
    my ($self, $name, $core, $main, $http) = @_;

    my $dir = "$self->{dir}/$name";
    make_path($dir);
    chmod(0755, $dir);

    my $conf = write_file("$dir/nginx.conf", <<END);
$main
pid $dir/nginx.pid;
error_log $dir/error.log warn;
worker_processes 1;
events { worker_connections 2048; }
http {
    access_log off;
    root $dir;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
$http
}
END

    my @command = pinned($core, $self->{binary}, '-p', "$dir/", '-c', $conf,
        '-e', "$dir/error.log");
    my $pid = fork() // die "cannot fork: $!\n";

    if ($pid == 0) {
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', "$dir/out");
        open(STDERR, '>&', \*STDOUT);
        exec(@command) or POSIX::_exit(127);
    }

    waitpid($pid, 0);

    if ($? != 0) {
        die "$name: nginx does not start: " . slurp("$dir/out")
            . slurp("$dir/error.log") . "\n";
    }

    my $server = { name => $name, dir => $dir };
    push @{$self->{started}}, $server;

    $self->until(10, "$name: a worker", sub {
        ($server->{master}) = slurp("$dir/nginx.pid") =~ /^(\d+)/ or return 0;
        ($server->{worker}) = children($server->{master});
        return $server->{worker};
    });

    return $server;
}


# wake(CORE): keeps the core from sleeping until rest(), by a process that runs
# when nothing else does.  Whoever sends something to a core that sleeps pays
# for waking it: where that is dear, the gate would be charged by how well it
# keeps the others busy.

sub wake {
    my ($self, $core) = @_;

    return unless defined $core;

    my $pid = fork() // die "cannot fork: $!\n";

    if ($pid == 0) {
        exec('chrt', '--idle', '0', pinned($core, $^X, '-e',
            'my $parent = getppid(); while (getppid() == $parent) { '
            . '$n++ for 1 .. 1e6 }')) or POSIX::_exit(127);
    }

    $self->{awake} = $pid;
}


sub rest {
    my ($self) = @_;

    my $pid = delete $self->{awake} or return;

    kill('KILL', $pid);
    waitpid($pid, 0);
}


sub until {
    my ($self, $seconds, $what, $code) = @_;

    my $end = time() + $seconds;

    while (!$code->()) {
        die "$what: not there after $seconds s\n" if time() > $end;
        sleep(0.02);
    }
}


# children(PID): workers, not the caches' helpers

sub children {
    my ($parent) = @_;

    my @pids;

    for my $file (glob('/proc/[0-9]*/stat')) {
        next unless slurp($file) =~ /^(\d+) \(.*\) ([A-Z]) (\d+)/s;
        my ($pid, $state, $owner) = ($1, $2, $3);
        next if $owner != $parent || $state eq 'Z';
        push @pids, $pid if slurp("/proc/$pid/cmdline") =~ /worker process/;
    }

    return @pids;
}


sub alive {
    my ($pid) = @_;
    return slurp("/proc/$pid/stat") =~ /\)\s+([A-Z])/ && $1 ne 'Z';
}


# stop(): QUIT, then TERM, then KILL; nothing that was started stays

sub stop {
    my ($self) = @_;

    return if $self->{owner} != $$;

    $self->rest();

    for my $signal (qw(QUIT TERM KILL)) {
        my @left = grep { $_ && alive($_) }
            map { $_->{master}, $_->{worker} } @{$self->{started}};

        return unless @left;
        kill($signal, @left);

        my $end = time() + 5;

        while (time() < $end && grep { alive($_) } @left) {
            sleep(0.02);
        }
    }
}


# cpu_ns(SERVER): CPU time of the worker and its threads so far.  schedstat
# counts nanoseconds at every switch, stat's ticks are the second choice.

sub cpu_ns {
    my ($server) = @_;

    my $ns = 0;

    for my $file (glob("/proc/$server->{worker}/task/*/schedstat")) {
        $ns += $1 if slurp($file) =~ /^(\d+)/;
    }

    return $ns if $ns;

    my $stat = slurp("/proc/$server->{worker}/stat") =~ s/.*\) //sr;
    my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
    my @field = split(/ /, $stat);

    return ($field[11] + $field[12]) * 1e9 / $ticks;
}


# memory_kb(SERVER): resident, and what is the worker's alone

sub memory_kb {
    my ($server) = @_;

    my $text = slurp("/proc/$server->{worker}/smaps_rollup");
    my %kb = map { $_ => 0 } qw(Rss Private_Clean Private_Dirty);

    $kb{$1} = $2 while $text =~ /^(\w+):\s+(\d+) kB$/mg;

    return ($kb{Rss}, $kb{Private_Clean} + $kb{Private_Dirty});
}


# wrk(SERVER, port => , script => LUA, connections => , seconds => ,
# core => ): requests, seconds, rps, bad, p50_us, p99_us, cpu_us (of the
# server's worker for each request)

sub wrk {
    my ($self, $server, %opt) = @_;

    my $script = write_file("$self->{dir}/wrk.$$." . ++$self->{scripts}
        . '.lua', ($opt{script} // '') . <<'END');

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("BENCH %d %d %d %d %d %d\n", summary.requests,
        summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
END

    my @command = pinned($opt{core} // $self->{load_core}, 'wrk', '-t', 1,
        '-c', $opt{connections} // 64, '-d', $opt{seconds} . 's',
        '-s', $script, '--timeout', '10s',
        "http://127.0.0.1:$opt{port}" . ($opt{path} // '/'));

    my $before = cpu_ns($server);
    open(my $fh, '-|', @command) or die "cannot run wrk: $!\n";
    my $said = do { local $/; <$fh> };
    close($fh) or die "wrk failed: $said\n";
    my $spent = cpu_ns($server) - $before;

    $said =~ /^BENCH (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m
        or die "wrk said nothing to read: $said\n";

    return {
        requests => $1,
        rps => $1 / ($2 / 1e6),
        bad => $3 + $4,
        p50_us => $5,
        p99_us => $6,
        cpu_us => $spent / 1e3 / ($1 || 1),
    };
}


# --- REST -------------------------------------------------------------------

sub client {
    my ($port) = @_;
    return Test::Constraint::Client->new(port => $port)
        // die "cannot connect to port $port\n";
}


sub encode { return JSON::PP->new->canonical->utf8->encode($_[0]) }


# register(PORT, PATH, DATA...): each posted on one of `connections`
# connections at once, all answered 201; gives the seconds

sub register {
    my ($port, $path, $connections, @data) = @_;

    my @clients = map { client($port) } 1 .. $connections;
    my $start = time();

    while (my @batch = splice(@data, 0, $connections)) {
        for my $i (0 .. $#batch) {
            $clients[$i]->send('POST', $path, body => encode($batch[$i]),
                headers => { 'Content-Type' => 'application/json' });
        }

        for my $i (0 .. $#batch) {
            my $answer = $clients[$i]->read_response();

            if (!$answer || $answer->status != 201) {
                die "POST $path: " . ($answer ? $answer->text : 'no answer')
                    . "\n";
            }
        }
    }

    return time() - $start;
}


# fsync_rate(DIR, SECONDS): 4 KiB written over and made durable, a second

sub fsync_rate {
    my ($dir, $seconds) = @_;

    my $file = "$dir/fsync";
    my ($count, $page) = (0, 'x' x 4096);

    open(my $fh, '+>:raw', $file) or die "cannot write $file: $!\n";
    $fh->autoflush(1);
    print $fh $page x 64;
    $fh->sync();

    my $start = time();

    while (time() - $start < $seconds) {
        seek($fh, 4096 * ($count++ % 64), 0);
        print $fh $page;
        $fh->sync() or die "cannot sync $file: $!\n";
    }

    my $rate = $count / (time() - $start);
    close($fh);
    unlink($file);

    return $rate;
}


# --- sums -------------------------------------------------------------------

sub median {
    my @sorted = sort { $a <=> $b } @_;

    return 0 unless @sorted;
    return @sorted % 2 ? $sorted[$#sorted / 2]
        : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


# spread(VALUES): (smallest, largest)

sub spread {
    my @sorted = sort { $a <=> $b } @_;
    return ($sorted[0] // 0, $sorted[-1] // 0);
}


1;
