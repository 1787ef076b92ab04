#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The audit log of workers that are killed, reloaded and upgraded: every
# decision that was worth a line is written or dropped, and none is both.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', workers => 2,
location / { constraint no; proxy_pass http://backend; }
END
    http => 'constraint_audit_log %%TESTDIR%%/audit.log flush=1h;');

$t->register('no', 'false');
$t->allow(qr/exited on signal 9/);

my $file = $t->testdir . '/audit.log';

sub counts { return ($t->api('GET', '/status'))[1]->{data}{audit} }

sub lines {
    return scalar(map { JSON::PP->new->utf8->decode($_) }
        split(/\n/, slurp($file)));
}

sub sums {
    my ($name, $kept, $written) = @_;
    my $c;

    ok((wait_until {
        $c = counts();
        $c && $c->{kept} == $kept && $c->{written} == $written
            && $c->{dropped} == $kept - $written;
    } 20), $name) or diag("wanted $kept, $written: "
        . Test::Constraint::json($c));
}

sub deny {
    my ($n) = @_;
    my @not = grep { $_ != 403 } map { $t->get('/x')->status } 1 .. $n;
    is(scalar(@not), 0, "$n denied");
}

# what lives is not dropped, however often it is asked

deny(20);
my $c = counts();
is($c->{kept}, 20, 'each is kept');
is($c->{written} + $c->{dropped}, 0, 'buffers hold all of them') for 1 .. 2;

# killed: both workers

$t->kill9($t->worker_pids);
sums('what killed workers had in buffers is dropped', 20, 0);
is(lines(), 0, 'and is not in the file');

# their successors count from there, and a worker that ends writes

deny(15);
$c = counts();
is($c->{kept}, 35, 'the next workers go on');
is($c->{dropped}, 20, 'with nothing dropped twice');

$t->reload(wait_old => 1);
sums('workers that end write theirs', 35, 15);
is(lines(), 15, 'which is in the file');

# one killed while an old one and new ones live: the old one is held by a
# connection, its lines are not anybody's loss

my $held = $t->connect();
my $answer = $held->request('GET', '/x');
is($answer->status, 403, 'a connection to a worker');

my @old = $t->worker_pids;
my %old = map { $_ => 1 } @old;
kill('STOP', @old);
kill('HUP', $t->pid);

my @new;
ok((wait_until { @new = grep { !$old{$_} } $t->worker_pids; @new >= 2 } 20),
    'new workers beside old ones');

kill('CONT', @old);
deny(10);
$t->reload(wait_old => 1);
sums('two generations of workers, each line once', 46, 26);

# killed in turn, many times

my ($kept, $written) = (46, 26);

for my $turn (1 .. 5) {
    deny(5);
    $kept += 5;
    $t->kill9($t->worker_pids);
    sums("killed again, $turn", $kept, $written);
}

# killed after a write: what was written stays so

deny(4);
$t->reload(wait_old => 1);
$kept += 4;
$written += 4;
sums('written', $kept, $written);
$t->kill9(($t->worker_pids)[0]);
sums('and not dropped by who is killed then', $kept, $written);
is(lines(), $written, 'the file has them all');

# binary upgrade: the counters of the new master are its own, the old one
# writes what it has

SKIP: {
    skip('cannot upgrade', 5) unless $t->can('upgrade_start');

    deny(6);
    ok($t->upgrade_start(), 'a new binary beside the old one');

    my $n = 0;
    $n += ($t->get('/x')->status == 403) for 1 .. 20;
    ok($t->upgrade_finish(), 'the old one ends');

    ok((wait_until { lines() > $written + 5 } 20),
        'the workers of the old one have written');
    my $have = lines();
    $c = counts();
    is($have - $written - 6 + $c->{kept}, $n,
        'each decision is in the file, or in a buffer of the new one');
    is($c->{written} + $c->{dropped}, 0, 'which has dropped none');

    $t->reload(wait_old => 1);
    is(lines(), $written + 6 + $n, 'and writes them');
}

done_testing();
