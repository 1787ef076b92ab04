#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Loading: a large workflow is compiled once, in a thread, while others wait
# for it; what changes meanwhile is not decided by; what cannot be loaded is
# an error of ours; what is held stays within its bound.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 1, need => ['faults', 'http1'])
    ->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:4m path=%%TESTDIR%%/store;
    constraint_program_cache 1m;
    constraint_timeout 10s;
    constraint_inline_cost 10000000;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 passed; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /open/ {
            constraint $arg_type zone=z;
            constraint_on_error allow;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END


# large(NAME, OUTPUT): some hundred rules, none of which matches but the last

sub large {
    my ($name, $output, $rules) = @_;

    return { name => $name, rule => { match => [
        (map { { condition => "request.path == '/none/$_' && "
            . "request.headers['x-none'] == 'none-$_'",
            output => "'DENY'" } } 1 .. ($rules // 300)),
        { output => $output } ] } };
}

sub record {
    my ($name, $workflow) = @_;
    return { message_type => $name, subject_id => '*',
        dsl_workflow_id => $workflow, constraint_metadata => {} };
}

sub fault {
    my ($name, $value) = @_;
    my ($status) = $t->api('PUT', "/fault/$name", { value => $value });
    is($status, 200, "fault $name = $value");
}

sub worker { return (($t->api('GET', '/status'))[1])->{data}{worker} }
sub gate { my $a = $t->get("/gate/?type=$_[0]"); $a ? $a->status : 0 }

# ask(NAME): a request that is under way

sub ask {
    my $client = $t->connect();
    $client->send('GET', "/gate/?type=$_[0]", close => 1);
    return $client;
}

sub answers {
    return join(' ', map { my $a = $_->read_response(); $a ? $a->status : 0 }
        @_);
}


is(($t->api('POST', '/workflow', large('big', "'ALLOW'")))[0], 201,
    'a large workflow');
is(($t->api('POST', '/constraint', record('a', 'big')))[0], 201,
    'a constraint with it');
is(($t->api('POST', '/constraint', record('b', 'big')))[0], 201,
    'another one');


# one load, many who wait

fault('task.delay_ms', 200);

my @asking = map { ask($_ % 2 ? 'a' : 'b') } 1 .. 20;
is(answers(@asking), join(' ', (200) x 20),
    'all who asked while it was compiled are answered');
is(worker()->{programs}, 1, 'it was compiled once');


# a change while it is being loaded

fault('task.delay_ms', 0);
is(($t->api('PUT', '/workflow/big', large('big', "'DENY'")))[0], 200,
    'a new revision');
fault('task.delay_ms', 300);

@asking = map { ask('a') } 1 .. 3;
my ($status) = $t->api('PUT', '/workflow/big', large('big', "'ALLOW'"));
is($status, 200, 'another one while it is loaded');
is(gate('a'), 200, 'who asks afterwards is answered by the new one');
like(answers(@asking), qr/^(?:200|403) (?:200|403) (?:200|403)$/,
    'who asked before is answered, too');

is(($t->api('DELETE', '/constraint/b'))[0], 200, 'a constraint is deleted');
isnt(gate('b'), 200, 'and is not decided by any more');


# clients that do not wait

fault('task.delay_ms', 0);
is(($t->api('POST', '/constraint/unload/a'))[0], 200, 'it is unloaded');
is(($t->api('PUT', '/workflow/big', large('big', "'ALLOW'")))[0], 200,
    'and has a new revision');
fault('task.delay_ms', 300);

@asking = map { ask('a') } 1 .. 6;
$_->close() for @asking[0 .. 3];
is(answers(@asking[4, 5]), '200 200', 'those who stay are answered');
is(gate('a'), 200, 'those who went left nothing behind');


# a reload while it is being loaded

fault('task.delay_ms', 0);
is(($t->api('PUT', '/workflow/big', large('big', "'ALLOW'")))[0], 200,
    'a new revision');
fault('task.delay_ms', 500);
@asking = map { ask('a') } 1 .. 3;
ok($t->reload(wait_old => 1), 'a reload meanwhile');
is(answers(@asking), '200 200 200', 'loses none of them');
fault('task.delay_ms', 0);


# no thread takes it

is(($t->api('PUT', '/workflow/big', large('big', "'ALLOW'")))[0], 200,
    'a new revision');

for my $name (qw(task.post_fails task.queue_full)) {
    fault($name, 1);
    is(gate('a'), 403, "$name: what cannot be loaded is refused");
    is($t->get('/open/?type=a')->body, "passed",
        "$name: or passes if errors of ours do");
    is(($t->api('PUT', '/constraint/a', { enabled => \1 }))[0], 503,
        "$name: and writes are told to come again");
    fault($name, 0);
    is(($t->api('PUT', '/constraint/a', { enabled => \1 }))[0], 200,
        "$name: later they are done");
}

is(gate('a'), 200, 'and the constraint is loaded');


# more than may be held: each takes a good part of the bound

my $made = 0;

for my $n (1 .. 12) {
    my ($first) = $t->api('POST', '/workflow',
        large("w$n", $n % 2 ? "'ALLOW'" : "'DENY'"));
    my ($second) = $t->api('POST', '/constraint', record("c$n", "w$n"));
    $made++ if $first == 201 && $second == 201;
}

is($made, 12, 'a dozen large workflows');

my $wrong = 0;
my $most = 0;

for my $round (1 .. 3) {
    for my $n (1 .. 12) {
        $wrong++ if gate("c$n") != ($n % 2 ? 200 : 403);
        my $bytes = worker()->{program_bytes};
        $most = $bytes if $bytes > $most;
    }
}

is($wrong, 0, 'all are decided right, again and again');
cmp_ok($most, '<=', 1048576, 'within the bound');
cmp_ok($most, '>', 300000, 'of which use is made');

done_testing();
