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
    my $status = free_port();

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
    server { listen 127.0.0.1:$status; location / { stub_status; } }
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

    my $server = { name => $name, dir => $dir, status => $status };
    push @{$self->{started}}, $server;

    $self->until(10, "$name: a worker", sub {
        ($server->{master}) = slurp("$dir/nginx.pid") =~ /^(\d+)/ or return 0;
        ($server->{worker}) = children($server->{master});
        return $server->{worker};
    });

    return $server;
}


# renew(SERVER): another worker.  Where the memory of a process lies decides
# how well it does with the processor's caches, for as long as it lives.

sub renew {
    my ($self, $server) = @_;

    my $old = $server->{worker};

    kill('HUP', $server->{master}) or die "$server->{name}: has gone\n";

    $self->until(10, "$server->{name}: another worker", sub {
        my @workers = children($server->{master});

        ($server->{worker}) = grep { $_ != $old } @workers;
        return @workers == 1 && $server->{worker};
    });
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
        next unless slurp($file) =~ /^(\d+) \(.*\) ([A-Za-z]) (\d+)/s;
        my ($pid, $state, $owner) = ($1, $2, $3);
        next if $owner != $parent || $state eq 'Z';
        push @pids, $pid if slurp("/proc/$pid/cmdline") =~ /worker process/;
    }

    return @pids;
}


# alive(PID): a process whose first thread has ended is, as long as another
# has not

sub alive {
    my ($pid) = @_;

    my ($state, $threads) = slurp("/proc/$pid/stat")
        =~ /\)\s+([A-Za-z])(?:\s+\S+){16}\s+(\d+)/ or return 0;

    return $state ne 'Z' || $threads > 1;
}


# stop(): QUIT, then TERM, then KILL; nothing that was started stays

sub stop {
    my ($self) = @_;

    return if $self->{owner} != $$;

    $self->rest();
    kill('KILL', keys %{$self->{paused}}) if $self->{paused};

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


# requests(SERVER): how many it has had, this question included

sub requests {
    my ($server) = @_;

    my $answer = client($server->{status})->request('GET', '/');

    return $1 if $answer && $answer->body =~ /^ \d+ \d+ (\d+) /m;
    die "$server->{name}: no count of its requests\n";
}


# start_wrk(port => , script => LUA, connections => , seconds => , core => ):
# a handle, and the process

sub start_wrk {
    my ($self, %opt) = @_;

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

    my $pid = open(my $fh, '-|', @command) or die "cannot run wrk: $!\n";

    return { fh => $fh, pid => $pid };
}


# end_wrk(HANDLE): requests, rps, bad, p50_us, p99_us

sub end_wrk {
    my ($wrk) = @_;

    my $fh = $wrk->{fh};
    my $said = do { local $/; <$fh> };
    close($fh) or die "wrk failed: $said\n";

    $said =~ /^BENCH (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m
        or die "wrk said nothing to read: $said\n";

    return {
        requests => $1,
        rps => $1 / ($2 / 1e6),
        bad => $3 + $4,
        p50_us => $5,
        p99_us => $6,
    };
}


# wrk(SERVER, as start_wrk()): what end_wrk() gives, and cpu_us, of the
# server's worker for each request

sub wrk {
    my ($self, $server, %opt) = @_;

    my $before = cpu_ns($server);
    my $got = end_wrk($self->start_wrk(%opt));

    $got->{cpu_us} = (cpu_ns($server) - $before) / 1e3
        / ($got->{requests} || 1);

    return $got;
}


# by_turns(SECONDS, A, B): A and B are what start_wrk() takes, and server,
# another of each.  Both have their load all the time, but only one at a time
# may send: A, B, B, A and so on, SECONDS each.  Gives for both one result for
# each four of such turns, requests, rps and cpu_us, and bad of all of them.
#
# A pause after each turn lets the gate end what it has begun.

use constant { TURN => 0.025, PAUSE => 0.005 };

sub by_turns {
    my ($self, $seconds, @sides) = @_;

    my @wrk;
    my @got = map { { bad => 0, parts => [] } } @sides;

    for my $side (@sides) {
        my $before = requests($side->{server});
        my $asked = 0;

        push @wrk, $self->start_wrk(%$side, seconds => 60 + 4 * $seconds);
        $self->{paused}{$wrk[-1]{pid}} = 1;

        # not before all its connections are there; a script takes its time

        $self->until(10, 'requests of wrk', sub {
            return requests($side->{server}) - $before - ++$asked >= 1000;
        });

        kill('STOP', $wrk[-1]{pid});
    }

    sleep(2 * PAUSE);

    for (1 .. int($seconds / TURN / 2 + 0.5) || 1) {
        my @part = map { { requests => 0, seconds => 0, ns => 0 } } @sides;

        for my $i (0, 1, 1, 0) {
            turn($sides[$i]{server}, $wrk[$i]{pid}, $part[$i]);
        }

        for my $i (0, 1) {
            my $n = $part[$i]{requests} || 1;

            push @{$got[$i]{parts}}, { requests => $n,
                rps => $n / $part[$i]{seconds},
                cpu_us => $part[$i]{ns} / 1e3 / $n };
        }
    }

    for my $i (0, 1) {
        interrupt($wrk[$i]);

        $got[$i]{bad} = end_wrk($wrk[$i])->{bad};
        delete $self->{paused}{$wrk[$i]{pid}};
    }

    return @got;
}


# interrupt(HANDLE): says what it has counted; only its first thread ends it,
# which is not sure to get a signal as long as another is pending

sub interrupt {
    my ($wrk) = @_;

    my $end = time() + 10;

    kill('CONT', $wrk->{pid});

    while (time() < $end) {
        kill('INT', $wrk->{pid});

        my $set = '';
        vec($set, fileno($wrk->{fh}), 1) = 1;
        return if select($set, undef, undef, PAUSE);
    }

    die "wrk does not end\n";
}


sub turn {
    my ($server, $wrk, $part) = @_;

    my $requests = requests($server);
    my $ns = cpu_ns($server);
    my $start = time();

    kill('CONT', $wrk);
    sleep(TURN);
    kill('STOP', $wrk);

    $part->{seconds} += time() - $start;
    sleep(PAUSE);

    $part->{ns} += cpu_ns($server) - $ns;
    $part->{requests} += requests($server) - $requests - 1;
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


# standard_error(VALUES): of their mean

sub standard_error {
    my $n = @_;

    return 0 if $n < 2;

    my ($sum, $squares) = (0, 0);

    $sum += $_ for @_;
    $squares += ($_ - $sum / $n) ** 2 for @_;

    return sqrt($squares / ($n - 1) / $n);
}


# spread(VALUES): (smallest, largest)

sub spread {
    my @sorted = sort { $a <=> $b } @_;
    return ($sorted[0] // 0, $sorted[-1] // 0);
}


1;
