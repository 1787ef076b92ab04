#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Four workers count in cache lines of their own: what a decision writes into
# shared memory, by its address, which is the same in all of them.

use warnings;
use strict;
no warnings 'portable';

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $LINE = 64;
my $BANK = 512;
my $WORKERS = 4;

my $t = Test::Constraint::Gate->start(<<'END', workers => $WORKERS,
location / {
    constraint no;
    constraint_audit_log %%TESTDIR%%/audit.log flush=10ms;
    proxy_pass http://backend;
}
END
    need => ['faults'],
    main => 'error_log %%TESTDIR%%/debug.log debug_core;');

$t->register('no', 'false');

# places(WHAT): where each worker counts, by its process

sub places {
    my ($what) = @_;
    my %at;

    for (split(/\n/, slurp($t->testdir . '/debug.log'))) {
        next unless / (\d+)#\d+:.* constraint: (.*) is counted at (\w+)/;
        $at{$1} = hex($3) if $2 eq $what;
    }

    return \%at;
}

# all workers at work: connections at once, until each has counted

my $banks;

ok((wait_until {
    my @clients = map { $t->connect() } 1 .. 16;
    $_->request('GET', '/x') for @clients;
    $banks = places('"no"');
    keys %$banks == $WORKERS;
} 30), 'each worker counts') or diag(explain($banks));

my $audit = places('audit log');
my %alive = map { $_ => 1 } $t->worker_pids;

is(scalar(grep { $alive{$_} } keys %$audit), $WORKERS,
    'and each keeps lines of the audit log');

for my $case ([ 'a bank', $BANK, values %$banks ],
              [ 'the counters of the audit log', $LINE, values %$audit ])
{
    my ($name, $size, @places) = @$case;
    my %line;

    for my $place (@places) {
        is($place % $LINE, 0, "$name begins at a cache line");
        $line{$_}++ for map { int($place / $LINE) + $_ }
            0 .. $size / $LINE - 1;
    }

    is(scalar(grep { $_ > 1 } values %line), 0,
        "$name: no line is that of two workers");
}

# none of the one is among the other

my %of_banks = map { my $b = $_; map { ($b / $LINE + $_) => 1 }
    0 .. $BANK / $LINE - 1 } values %$banks;
is(scalar(grep { $of_banks{$_ / $LINE} } values %$audit), 0,
    'nor of both kinds');

done_testing();
