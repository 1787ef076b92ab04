#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The audit log on a disk that is full, over a limit, or never takes a byte,
# and sampled: requests go on, each line that is there is valid JSON, and
# written and dropped are what was decided, to the line.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Fcntl;
use JSON::PP;
use POSIX ();
use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;
use Time::HiRes qw(time);

my $mounted;

# start(LOG, MORE, BUFFER): a gate that denies at / and allows at /yes/

sub start {
    my ($log, $more, $buffer) = @_;

    $buffer //= '16k';

    my $t = Test::Constraint::Gate->setup(<<'END',
location / { constraint no; proxy_pass http://backend; }
location /yes/ { constraint yes; proxy_pass http://backend; }
END
        http => "constraint_audit_log $log flush=20ms buffer=$buffer $more;");

    return $t;
}

sub ready {
    my ($t) = @_;
    $t->register('no', 'false');
    $t->register('yes', 'true');
    return $t;
}

sub counts { return ($_[0]->api('GET', '/status'))[1]->{data}{audit} }

sub settled {
    my ($t) = @_;
    my $c;
    my $ok = wait_until {
        $c = counts($t);
        $c->{kept} == $c->{written} + $c->{dropped};
    } 30;
    return $ok ? $c : undef;
}

# ask(T, N): so many denials, the longest time of one

sub ask {
    my ($t, $n) = @_;
    my ($bad, $slowest) = (0, 0);
    my $client = $t->connect();

    for (1 .. $n) {
        my $start = time();
        my $answer = $client->request('GET', '/x');
        my $took = time() - $start;
        $bad++ if !$answer || $answer->status != 403;
        $slowest = $took if $took > $slowest;
    }

    is($bad, 0, "$n requests are answered as ever");
    cmp_ok($slowest, '<', 5, 'and wait for nothing');
}

sub valid {
    my ($text) = @_;
    my @lines = split(/\n/, $text, -1);
    is(pop(@lines) // '', '', 'the file ends with a line');
    my @bad = grep { !eval { JSON::PP->new->utf8->decode($_); 1 } } @lines;
    is(scalar(@bad), 0, 'each line is valid JSON') or diag($bad[0]);
    return scalar(@lines);
}

# a file system that is really full, and has room again

SKIP: {
    skip('not root, nothing can be mounted', 10) if $>;

    my $dir = "/tmp/ngx-constraint-full.$$";
    mkdir($dir) or die "$dir: $!\n";
    chmod(0755, $dir);

    if (system("mount -t tmpfs -o size=64k,mode=755 tmpfs $dir"
        . ' >/dev/null 2>&1'))
    {
        rmdir($dir);
        skip('no file system can be mounted', 10);
    }

    $mounted = $dir;

    my $t = start("$dir/audit.log", 'allow=1');
    $t->allow(qr/audit log ".*" cannot be written.*No space left/s);
    $t->allow(qr/audit log ".*" is written too slowly/);
    ready($t->run() && $t);

    ask($t, 400);
    my $c = settled($t);
    ok($c, 'full: written and dropped are all') or $c = counts($t);
    is($c->{kept}, 400, 'of what was decided');
    cmp_ok($c->{dropped}, '>', 0, 'some are dropped');
    is(valid(slurp("$dir/audit.log")), $c->{written},
        'what is written is there');

    system("mount -o remount,size=4m $dir") == 0 or diag('no remount');
    ask($t, 50);
    my $d = settled($t);
    is($d && $d->{dropped}, $c->{dropped}, 'with room nothing is dropped');
    is(valid(slurp("$dir/audit.log")), $c->{written} + 50,
        'and lines go on where they ended');

    $t->stop();
}

# over the limit of a file's size: no signal ends the worker

SKIP: {
    my ($prlimit) = grep { -x } map { "$_/prlimit" } split(/:/, $ENV{PATH});
    skip('there is no prlimit', 10) unless $prlimit;

    my $t = start('%%TESTDIR%%/audit.log', '');
    my $file = $t->testdir . '/audit.log';
    my $begin = 64 * 1024 * 1024;

    # the rest of what the worker writes is far below the limit

    open(my $fh, '>', $file) or die "$file: $!\n";
    truncate($fh, $begin) or die "$file: $!\n";
    close($fh);

    # where the machine is busy a buffer may also not be written in time

    $t->allow(qr/audit log ".*" cannot be written.*File too large/s);
    $t->allow(qr/audit log ".*" is written too slowly/);

    # nginx has the limit from us

    my $limit = $begin + 20000;
    is(system($prlimit, "--pid=$$", "--fsize=$limit:"), 0, 'a limit');
    $t->run();
    is(system($prlimit, "--pid=$$", '--fsize=unlimited:'), 0,
        'of nginx alone');
    ready($t);

    my ($pid) = $t->worker_pids;

    ask($t, 200);
    my $c = settled($t);
    ok($c, 'over it: written and dropped are all') or $c = counts($t);
    is($c->{kept}, 200, 'of what was decided');
    cmp_ok($c->{dropped}, '>', 0, 'some are dropped');
    is(($t->worker_pids)[0], $pid, 'the worker lives');
    is(valid(substr(slurp($file), $begin)), $c->{written},
        'what is written is there');

    truncate($file, $begin) or die "$file: $!\n";
    ask($t, 30);
    my $d = settled($t);
    is($d && $d->{dropped}, $c->{dropped}, 'with room nothing is dropped');
    is(valid(substr(slurp($file), $begin)), 30, 'and lines are written');

    $t->stop();
}

# a pipe nobody reads is the slowest disk there is

{
    my $t = start('%%TESTDIR%%/audit.fifo', '');
    my $file = $t->testdir . '/audit.fifo';

    POSIX::mkfifo($file, 0666) or die "$file: $!\n";
    chmod(0666, $file);
    sysopen(my $fifo, $file, O_RDWR | O_NONBLOCK) or die "$file: $!\n";

    $t->allow(qr/audit log ".*" is written too slowly/);
    ready($t->run() && $t);

    ask($t, 600);
    my $c = counts($t);
    is($c->{kept}, 600, 'each was worth a line');
    cmp_ok($c->{dropped}, '>', 0, 'those without a place are dropped');
    cmp_ok($c->{written} + $c->{dropped}, '<', 600, 'some wait');

    # read to the end

    my $text = '';
    my $read = sub {
        my $n = 0;
        while (sysread($fifo, my $data, 65536)) {
            $text .= $data;
            $n++;
        }
        return $n;
    };

    ok((wait_until {
        $read->();
        $c = counts($t);
        $c->{kept} == $c->{written} + $c->{dropped};
    } 30), 'once it is read: written and dropped are all');
    $read->();
    is(valid($text), $c->{written}, 'each that is written was read');

    my $dropped = $c->{dropped};
    $text = '';
    ask($t, 20);
    ok((wait_until { $read->(); ($text =~ tr/\n//) == 20 } 20),
        'and it goes on');
    is(settled($t)->{dropped}, $dropped, 'nothing is dropped any more');

    $t->stop();
}

# a rate between: five standard deviations of 4000 with 0.25; all the lines
# have room at once, so how fast the disk is decides nothing

{
    my $t = start('%%TESTDIR%%/audit.log', 'allow=0.25', '1m');
    ready($t->run() && $t);

    my ($n, $p) = (4000, 0.25);
    my $client = $t->connect();
    my $bad = 0;
    my $file = $t->testdir . '/audit.log';

    for (1 .. $n) {
        $client = $t->connect() if $_ % 500 == 0;
        my $answer = $client->request('GET', '/yes/');
        $bad++ if !$answer || $answer->status >= 300;
    }

    is($bad, 0, "$n allowed");

    my $c = settled($t);
    my $off = 5 * sqrt($n * $p * (1 - $p));
    cmp_ok(abs($c->{kept} - $n * $p), '<', $off, 'a quarter is kept')
        or diag("$c->{kept} of $n");
    is($c->{dropped}, 0, 'none is dropped');
    is(valid(slurp($file)), $c->{kept}, 'and is in the file');

    is($t->get('/x')->status, 403, 'a deny');
    is(settled($t)->{kept}, $c->{kept} + 1, 'is always kept');
}

done_testing();


END {
    if ($mounted && $mounted =~ /\.$$\z/) {
        local $?;
        system("umount -l $mounted; rmdir $mounted");
    }
}
