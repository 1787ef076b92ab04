#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A deadline that passes while the thread runs is still the constraint's own:
# its on_error comes before the directive's, and its counters know of it.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', need => [ 'faults' ]);
constraint_offload always;
constraint_timeout 500ms;

location /deny/ {
    constraint deny;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /allow/ {
    constraint allow;
    constraint_on_error deny;
    proxy_pass http://backend;
}
END

$t->register('deny', 'true', on_error => 'deny');
$t->register('allow', 'true', on_error => 'allow');

is($t->get('/deny/')->status, 200, 'both are loaded');
is($t->get('/allow/')->status, 200, 'and allow');


# counters(TYPE)

sub counters {
    my (undef, $answer) = $t->api('GET', "/constraint/metadata/$_[0]");
    return $answer->{metadata}{counters};
}

my %before = map { $_ => counters($_) } qw(deny allow);

$t->fault('task.delay_ms', 1500);

is($t->get('/deny/')->status, 403, 'the record\'s deny is before allow');
is($t->get('/allow/')->status, 200, 'the record\'s allow is before deny');

$t->fault('task.delay_ms', 0);

my %after = map { $_ => counters($_) } qw(deny allow);

is($after{deny}{errors_ours} - $before{deny}{errors_ours}, 1,
    'the denied one is counted');
is($after{allow}{failed_open} - $before{allow}{failed_open}, 1,
    'the one that failed open, too');

done_testing();
