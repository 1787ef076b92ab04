#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Adaptive limits: follow the p99 of all workers, for the slower and for the
# faster, never from fewer than 100 samples, never outside of their bounds, and
# hold over a reload.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 4, need => ['faults']);

$t->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:2m path=%%TESTDIR%%/store;
    constraint_timeout 20s;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 ok; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location = /metrics { constraint_metrics; }

        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /thread/ {
            constraint $arg_type zone=z;
            constraint_offload always;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => "request.method == 'GET'" } ] } }))[0], 201, 'a workflow');

sub register {
    my ($name, $adaptive, %execution) = @_;

    my ($status, $answer) = $t->api('POST', '/constraint', {
        message_type => $name, subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => {},
        execution => { adaptive => $adaptive, %execution } });
    is($status, 201, "$name is registered") or diag(json($answer));
}

sub metadata {
    return (($t->api('GET', "/constraint/metadata/$_[0]"))[1])->{metadata};
}

sub near {
    my ($got, $want, $name) = @_;
    ok(abs($got - $want) <= 0.002 + $want / 1000, $name)
        or diag("got $got, expected $want");
}


# before anything is known

register('wide', { factor => 3, min_ms => 0.001, max_ms => 5000 });
register('fixed', { factor => 3, min_ms => 1, max_ms => 50 },
    max_exec_ms => 20);
register('over', { factor => 3, min_ms => 1, max_ms => 50 });
$t->api('PUT', '/profiles/long', { max_exec_ms => 900 });
is(($t->api('PUT', '/constraint/over', { profile => 'long' }))[0], 200,
    'a limit of a profile');

is(metadata('wide')->{adaptive}{max_exec_ms}, 5000,
    'without samples it is max_ms');
is(metadata('wide')->{adaptive}{p99_ms}, undef, 'there is no p99');
is(metadata('fixed')->{adaptive}{max_exec_ms}, 20,
    'or max_exec_ms, where it is given');
is(metadata('over')->{adaptive}{max_exec_ms}, 50, 'inside of the bounds');


# the fixed limit may be the profile's, whoever says that it adapts

for my $profile (['mine', 20], ['fast_rule', 5]) {
    my ($name, $ms) = @$profile;

    $t->api('PUT', "/profiles/$name", { max_exec_ms => $ms });
    register("by.$name", { factor => 3, min_ms => 1, max_ms => 50 });
    is(($t->api('PUT', "/constraint/by.$name", { profile => $name }))[0], 200,
        "a constraint of $name");

    is(metadata("by.$name")->{adaptive}{max_exec_ms}, $ms,
        'its limit is shown before it is asked');
    my ($listed) = grep { $_->{message_type} eq "by.$name" }
        @{(($t->api('GET', '/stats'))[1])->{data}};
    is($listed->{adaptive}{max_exec_ms}, $ms, 'in the list as well');

    $t->get("/gate/?type=by.$name");
    is(metadata("by.$name")->{adaptive}{max_exec_ms}, $ms, 'and afterwards');
}

$t->api('PUT', '/profiles/mine', { max_exec_ms => 30 });
is(metadata('by.mine')->{adaptive}{max_exec_ms}, 30,
    'a change of the profile is seen');
$t->get('/gate/?type=by.mine');
like($t->get('/metrics')->body,
    qr/^constraint_adaptive_limit_seconds\{zone="z",message_type="by\.mine"\}
      \ 0\.030000$/mx, 'also in metrics, once it has decided');


# never from fewer than 100 samples

$t->get('/gate/?type=wide') for 1 .. 99;
my $m = metadata('wide');
is($m->{latency}{samples}, 99, '99 samples over four workers');
is($m->{adaptive}{max_exec_ms}, 5000, 'are not enough');

$t->get('/gate/?type=wide');
$m = metadata('wide');
is($m->{latency}{samples}, 100, '100 are');
ok(defined $m->{adaptive}{p99_ms}, 'there is a p99');
cmp_ok($m->{adaptive}{max_exec_ms}, '<', 5000, 'the limit has moved');
near($m->{adaptive}{max_exec_ms}, 3 * $m->{adaptive}{p99_ms},
    'it is three times the p99');
cmp_ok($m->{adaptive}{max_exec_ms}, '>=', 0.001, 'not below its bound');


# it is what holds: an evaluation that takes far longer is stopped

$t->api('PUT', '/fault/task.delay_ms',
    { value => int($m->{adaptive}{max_exec_ms}) + 300 });
is($t->get('/thread/?type=wide')->status, 403, 'a slow one is stopped');
is(metadata('wide')->{violations}{TimeoutExceeded}, 1, 'as a violation');
is($t->get('/thread/?type=fixed')->status, 403,
    'also where the fixed limit holds');
$t->api('PUT', '/fault/task.delay_ms', { value => 0 });


# bounds

register('low', { factor => 1, min_ms => 40, max_ms => 50 });
$t->get('/gate/?type=low') for 1 .. 120;
is(metadata('low')->{adaptive}{max_exec_ms}, 40, 'never below min_ms');

register('high', { factor => 1000, min_ms => 0.001, max_ms => 1 });
$t->get('/gate/?type=high') for 1 .. 120;
is(metadata('high')->{adaptive}{max_exec_ms}, 1, 'never above max_ms');

is(($t->api('PUT', '/constraint/high', { execution => { adaptive =>
    { factor => 1000, min_ms => 0.001, max_ms => 0.5 } } }))[0], 200,
    'the bounds are changed');
is(metadata('high')->{adaptive}{max_exec_ms}, 0.5, 'they hold at once');


# a change is followed, in both directions

sub many {
    my ($n, $path) = @_;

    my @clients = map { $t->connect() } 1 .. 16;

    while ($n > 0) {
        $_->send('GET', $path) for @clients;
        $_->read_response() for @clients;
        $n -= @clients;
    }
}

sub p99 { return metadata('moves')->{adaptive}{p99_ms} }

register('moves', { factor => 4, min_ms => 0.001, max_ms => 5000 });
many(160, '/gate/?type=moves');
cmp_ok(p99(), '<', 20, 'it is fast');

# what is over the limit takes no longer than that: it grows step by step

$t->api('PUT', '/fault/task.delay_ms', { value => 40 });
my $slow = 0;
ok((wait_until { many(160, '/thread/?type=moves'); $slow += 160;
    $slow >= 480 && p99() >= 38 } 30), 'it has become slow');
near(metadata('moves')->{adaptive}{max_exec_ms}, 4 * p99(),
    'the limit follows');
$t->api('PUT', '/fault/task.delay_ms', { value => 0 });

# one in a hundred of all there ever were would take 48000 fast ones

my $fast = 0;
ok((wait_until { many(240, '/gate/?type=moves'); $fast += 240;
    p99() < 20 } 30), 'it is fast again');
cmp_ok($fast, '>=', 1000, 'not before a window has ended');
cmp_ok($fast, '<', 40000, 'nor by there being so many')
    or diag("$fast after $slow");
cmp_ok(metadata('moves')->{adaptive}{max_exec_ms}, '<', 80,
    'the limit follows');
cmp_ok(metadata('moves')->{adaptive}{samples}, '<=', $fast,
    'what was before is not in it');


# reload; metrics

my $before = metadata('low')->{adaptive}{p99_ms};
ok($t->reload(wait_old => 1), 'a reload');
is(metadata('low')->{adaptive}{p99_ms}, $before, 'what was learnt is kept');

like($t->get('/metrics')->body, qr/^constraint_adaptive_limit_seconds\{
    zone="z",message_type="low"\}\ 0\.040000$/mx, 'it is a metric');
