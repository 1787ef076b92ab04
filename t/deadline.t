#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The deadline: the caller has its answer when it passes, before, while and
# after a thread runs; the worker serves others meanwhile; a client that goes
# away and a worker that quits leave nothing behind.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;
use Time::HiRes qw(time);

my $t = Test::Constraint::Gate->start(<<'END', need => ['faults']);
constraint_timeout 200ms;

location /thread {
    constraint fast;
    constraint_offload always;
    proxy_pass http://backend;
}
location /open {
    constraint fast;
    constraint_offload always;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /inline {
    constraint fast;
    proxy_pass http://backend;
}
location /runaway {
    constraint runaway;
    constraint_cost_limit 100000000000;
    constraint_deny_detail full;
    proxy_pass http://backend;
}
location /runaway_inline {
    constraint runaway;
    constraint_cost_limit 100000000000;
    constraint_offload off;
    constraint_deny_detail full;
    proxy_pass http://backend;
}
location /record {
    constraint record;
    constraint_offload always;
    proxy_pass http://backend;
}
location /record_allow {
    constraint record_allow;
    constraint_offload always;
    proxy_pass http://backend;
}
location /body {
    constraint body;
    constraint_offload always;
    proxy_pass http://backend;
}
END

my $many = '[' . join(', ', 1 .. 40) . ']';
my $loop = 'int(request.size) < 1000';
$loop = "$many.all(x$_, $loop)" for 1 .. 7;

$t->register('fast', "request.method != 'DELETE'");
$t->register('runaway', $loop);
$t->register('record', 'true', timeout_ms => 2000);
$t->register('record_allow', "request.method == 'PUT'",
    on_error => 'allow', timeout_ms => 50);
$t->register('body', 'input.a == 1');

# loaded once, so that loading takes no part in what follows

$t->get($_) for qw(/thread /open /inline /record /record_allow);
$t->post('/body', '{"a":1}');

my $b = $t->{backend};
my ($r, $start);


# nginx's timers go by a clock that may be some ms behind

# before it runs: the thread sleeps for longer than the deadline

$t->fault('task.delay_ms', 1000);
$b->clear();

$start = time();
$r = $t->get('/thread');
my $took = time() - $start;

is($r->status, 403, 'a job that does not start in time is a denial');
is($r->json->{code}, 'DeadlineExceeded', 'for the deadline');
cmp_ok($took, '>=', 0.15, 'which is waited for');
cmp_ok($took, '<', 0.8, 'and the answer precedes the end of the thread');
is($b->count, 0, 'the service sees nothing');

is($t->get('/open')->status, 200, 'constraint_on_error allow lets it pass');

is($t->get('/record_allow')->status, 200,
    'on_error allow of the record does, too');

my (undef, $metadata) = $t->api('GET', '/constraint/metadata/record_allow');
like(json($metadata), qr/"failed_open":1\b/, 'and it is counted');

# the worker serves others meanwhile

my $slow = $t->connect();
$slow->send('GET', '/thread');

$start = time();
is($t->get('/inline')->status, 200, 'another request is served meanwhile');
cmp_ok(time() - $start, '<', 0.15, 'at once');
is($slow->read_response()->json->{code}, 'DeadlineExceeded',
    'before the slow one has its answer');

# the record's own timeout

$start = time();
is($t->get('/record')->status, 200, 'the timeout of the record comes first');
cmp_ok(time() - $start, '>=', 0.9, 'and is long enough for the thread');

# in time, after a delay

$t->fault('task.delay_ms', 50);
is($t->get('/thread')->status, 200, 'a job that ends in time decides');
is($t->post('/body', '{"a":1}')->status, 200, 'with a body, too');
is($t->post('/body', '{"a":2}')->status, 403, 'whatever it decides');

# the client goes away while a thread has its job

for my $path (qw(/thread /body)) {
    for (1 .. 5) {
        my $c = $t->connect();
        $c->send('POST', $path, body => '{"a":1}');
        $c->reset();
    }
}

is($t->get('/thread')->status, 200, 'clients that go away leave no trace');

my $h = $t->h2(port => 'H2');
is($h->request('GET', '/thread')->status, 200, 'HTTP/2 waits for a thread');
my $id = $h->start('GET', '/thread');
$h->frame(3, 0, $id, pack('N', 8));
is($h->request('GET', '/thread')->status, 200,
    'a stream that is reset leaves the connection');

$t->fault('task.delay_ms', 0);

# while it runs

for my $path (qw(/runaway /runaway_inline)) {
    $start = time();
    $r = $t->get($path);
    $took = time() - $start;

    is($r->status, 403, "$path: an endless evaluation is a denial");
    is($r->json->{code}, 'DeadlineExceeded', "$path: for the deadline");
    cmp_ok($took, '>=', 0.15, "$path: which is waited for");
    cmp_ok($took, '<', 0.8, "$path: and not for much longer");
    my $v = $r->json->{decision}{violations};
    is($v->[0]{TimeoutExceeded}{allowed_ms}, 200,
        "$path: it is a violation");
}

is($r->json->{decision}{where}, 'inline', 'constraint_offload off is inline');

# a worker that quits finishes what it has begun

$t->fault('task.delay_ms', 150);

my $c = $t->connect();
$c->send('GET', '/thread');
wait_until { $t->get('/inline')->status == 200 };
ok($t->reload(), 'a reload');
$r = $c->read_response();
is($r && $r->status, 200, 'a request that waits for a thread is not lost');

# a worker that is terminated does not wait for the thread

$c = $t->connect();
$c->send('GET', '/record');
$t->fault('task.delay_ms', 0);
is($t->get('/inline')->status, 200, 'the new worker serves');

done_testing();
