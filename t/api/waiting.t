#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Calls that wait: the client goes, the queue is full, the store is not there,
# the worker is asked to end, the time is up.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 1, need => [ 'faults' ])
    ->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

sub fault {
    my ($name, $value) = @_;
    my ($status) = $t->api('PUT', "/fault/$name", { value => $value });
    is($status, 200, "fault $name is $value");
}

sub constraint {
    my ($name) = @_;
    return { message_type => $name, subject_id => '*',
        dsl_workflow_id => 'w', constraint_metadata => {} };
}

sub there { return ($t->api('GET', "/constraint/$_[0]"))[0] == 200 }

is(($t->api('GET', '/fault/api.wait_ms'))[1]{data}{value}, 0, 'no fault');
is(($t->api('PUT', '/fault/x', $_))[0], 400, json($_))
    for {}, { value => 'x' }, { value => 1.5 };

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } }))[0], 201, 'a workflow');
is(($t->api('POST', '/constraint', constraint('c')))[0], 201,
    'a constraint');

# the client goes: the write happens

fault('store.hold_write_ms', 300);

for my $way ('close', 'reset') {
    my $c = $t->connect();
    $c->send('POST', '/constraint', body => json(constraint($way)));
    select(undef, undef, undef, 0.05);
    $c->$way();
    ok((wait_until { there($way) } 10), "$way: the write happens");
}

# others do not wait

my $c = $t->connect();
$c->send('POST', '/constraint', body => json(constraint('slow')));
is(($t->api('GET', '/constraint/c'))[0], 200, 'reading meanwhile');
is(($t->api('POST', '/constraint/execute/c', {}))[1]{decision}{effect},
    'allow', 'executing meanwhile');
is(($t->api('POST', '/constraints', {}))[0], 200, 'a list meanwhile');
is($c->read_response()->status, 201, 'then the write is answered');

# time is up

fault('store.hold_write_ms', 700);
fault('api.wait_ms', 100);
my ($status, $data) = $t->api('POST', '/constraint', constraint('late'));
is($status, 503, 'a write that takes too long');
is($data->{code}, 'TimedOut', 'its code');
like($data->{error}, qr/may still happen/, 'what that means');
fault('api.wait_ms', 0);
ok((wait_until { there('late') } 10), 'it happens');
fault('store.hold_write_ms', 0);

fault('task.delay_ms', 500);
fault('api.wait_ms', 100);
($status, $data) = $t->api('POST', '/constraints', {});
is($status, 503, 'a list that takes too long');
is($data->{code}, 'TimedOut', 'its code');
fault('api.wait_ms', 0);

# lists, checks, metadata and large executions of clients that go

for my $call ([ POST => '/constraints', '{}' ],
    [ POST => '/workflow/check', 'x' ], [ GET => '/workflow/w' ],
    [ GET => '/constraint/metadata/c' ],
    [ POST => '/constraint/execute/c', '{"input_data":"'
        . 'x' x 70000 . '"}' ])
{
    for my $way ('close', 'reset') {
        my ($method, $path, $body) = @$call;
        my $c = $t->connect();
        $c->send($method, $path, body => $body);
        select(undef, undef, undef, 0.02);
        $c->$way();
    }
}

fault('task.delay_ms', 0);
is(($t->api('GET', '/workflow/w'))[0], 200, 'the server goes on');

# queues

fault('store.hold_write_ms', 20);
my @clients = map { $t->connect() } 1 .. 100;
$clients[$_]->send('POST', '/constraint', body => json(constraint("q$_")))
    for 0 .. $#clients;
my @got = map { $_->read_response() } @clients;
my @busy = grep { $_->status == 503 } @got;
cmp_ok(scalar(@busy), '>', 0, 'too many writes: some are told');
is($busy[0]->json->{code}, 'Busy', 'their code');
is($busy[0]->header('Retry-After'), 1, 'when to come again');
is(scalar(grep { $_->status == 201 } @got), 100 - @busy, 'all others done');
is(join(' ', grep { there("q$_") != ($got[$_]->status == 201 ? 1 : 0) }
    0 .. 99), '', 'what was promised was kept, what was not was not done');
is(($got[$_]->header('Connection') // ''), 'keep-alive', 'kept alive')
    for 0, 99;
fault('store.hold_write_ms', 0);

for my $fault ('task.post_fails', 'task.queue_full') {
    fault($fault, 1);
    for my $call ([ POST => '/constraints', {} ], [ GET => '/workflow/w' ],
        [ POST => '/workflow/check', 'x' ],
        [ POST => '/constraint', constraint('never') ],
        [ DELETE => '/constraint/c' ])
    {
        ($status, $data) = $t->api(@$call);
        is($status, 503, "$fault: $call->[0] $call->[1]");
        is($data->{code}, 'Busy', 'its code');
    }
    fault($fault, 0);
}

ok(!there('never'), 'nothing was stored');

# a full store

fault('store.map_full', 1);
($status, $data) = $t->api('POST', '/constraint', constraint('full'));
is($status, 507, 'a full store');
is($data->{code}, 'StoreFull', 'its code');
like($data->{error}, qr/map_size/, 'what would be right');
is(($t->api('GET', '/constraint/c'))[0], 200, 'reading goes on');
fault('store.map_full', 0);
is(($t->api('POST', '/constraint', constraint('full')))[0], 201,
    'then there is room');

# a worker that is asked to end answers first

for my $signal ('HUP') {
    fault('store.hold_write_ms', 500);
    my $c = $t->connect();
    $c->send('POST', '/constraint', body => json(constraint("by-$signal")));
    select(undef, undef, undef, 0.1);
    ok($t->reload(), 'reload');
    my $r = $c->read_response();
    is($r && $r->status, 201, "$signal: the old worker answers");
    fault('store.hold_write_ms', 0);
    ok(there("by-$signal"), 'it is there');
}

fault('store.hold_write_ms', 500);
$c = $t->connect();
$c->send('PUT', '/constraint/c', body => '{"description":"last"}');
select(undef, undef, undef, 0.1);
my $master = $t->pid();
kill('QUIT', $master);
my $r = $c->read_response();
is($r && $r->status, 200, 'QUIT: the worker answers');
ok((wait_until { !$t->alive($master) } 10), 'and ends');
