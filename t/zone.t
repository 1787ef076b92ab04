#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The zone: a cache that may be too small, be discarded, be made anew by a
# reload, or have lost a worker inside its lock: decisions stay right.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $conf = <<'END';
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:SIZE path=%%TESTDIR%%/store;
    constraint_program_cache 1m;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 $http_x_n; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

my $t = Test::Constraint->new(workers => 2, need => ['faults'])
    ->allow(qr/exited on signal 9/, qr/was locked by/, qr/is too small/);

sub configure { $t->conf($conf =~ s/SIZE/$_[0]/r) }


# conditions of the configuration

configure('16k');
my ($good, $said) = $t->test_conf();
ok(!$good, 'a zone of 16k is refused');
like($said, qr/"z" is too small, it must be at least 32k/, 'and why');

configure('32k');
$t->run();

my ($status) = $t->api('POST', '/workflow', { name => 'w', rule => {
    match => [ { output => "{'effect': 'allow', 'headers': {'x-n': "
        . "string(constraint.metadata.n)}}" } ] } });
is($status, 201, 'a workflow is registered');

my $count = 300;
my $created = 0;

for my $n (1 .. $count) {
    ($status) = $t->api('POST', '/constraint', { message_type => "c$n",
        subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => { n => $n, pad => 'x' x 500 } });
    $created++ if $status == 201;
}

is($created, $count, 'constraints are registered');


# wrong(): how many are not decided by what was registered

sub wrong {
    my $wrong = 0;

    for my $n (1 .. $count) {
        my $answer = $t->get("/gate/?type=c$n");
        $wrong++ unless $answer && $answer->status == 200
            && $answer->body eq $n;
    }

    return $wrong;
}

sub fault {
    my ($name, $value) = @_;
    my ($status) = $t->api('PUT', "/fault/$name", { value => $value });
    is($status, 200, "fault $name = $value");
}

sub zone { return (($t->api('GET', '/status'))[1])->{data}{zone} }
sub counters {
    return (($t->api('GET', "/constraint/metadata/$_[0]"))[1])
        ->{metadata}{counters};
}

is(wrong(), 0, 'all are decided right in a zone of eight pages');
is(wrong(), 0, 'and again');
cmp_ok(zone()->{evictions}, '>', 100, 'for most there was no room');
cmp_ok(zone()->{records}, '>', 0, 'for some there was');


# unload: from the zone and from every worker, not from the store

($status) = $t->api('POST', '/constraint/unload/c5');
is($status, 200, 'a constraint is unloaded');

my $loaded = (($t->api('GET', '/constraint/metadata/c5'))[1])
    ->{metadata}{loaded};
ok(!$loaded->{zone}, 'it is not in the zone');
is($t->get('/gate/?type=c5')->body, 5, 'it is decided as before');
is(($t->api('POST', '/constraint/unload/none'))[0], 404,
    'what is not registered cannot be unloaded');

# looking at it loads it on no worker, the one it was not unloaded on included

my %client;

wait_until {
    my $client = $t->connect();
    my $pid = $client->request('GET', '/status')
        ->header('x-constraint-worker');
    $client{$pid} //= $client;
    keys %client == 2;
} 20;

my ($one, $two) = values %client;

$_->request('GET', '/gate/?type=c5') for $one, $two;
is($one->request('POST', '/constraint/unload/c5')->status(), 200,
    'it is unloaded on one worker');

for my $client ($two, $one, $two, $one) {
    $loaded = $client->request('GET', '/constraint/metadata/c5')->json()
        ->{metadata}{loaded};
    ok(!$loaded->{worker} && !$loaded->{zone}, 'looking does not load it');
}


# another size: the records come back from the store, counters stay

for (1 .. 7) { $t->get('/gate/?type=c300') }

my $before = counters('c300')->{executions};
cmp_ok($before, '>=', 7, 'decisions are counted');

configure('1m');
ok($t->reload(wait_old => 1), 'the zone is made larger by a reload');
is(zone()->{size}, 1048576, 'it is larger');
is(counters('c300')->{executions}, $before, 'counters were taken along');
is(zone()->{records}, 0, 'the cache is empty');
is(wrong(), 0, 'decisions are right');
cmp_ok(zone()->{records}, '>', 100, 'the cache fills');
is(zone()->{evictions}, 0, 'there is room for all');
cmp_ok(counters('c300')->{executions}, '==', $before + 1, 'counting goes on');

ok($t->reload(wait_old => 1), 'a reload with the same size');
cmp_ok(zone()->{records}, '>', 100, 'keeps the cache');
is(wrong(), 0, 'decisions are right');


# a workflow's new revision takes the place of the one before

sub revise {
    my ($n) = @_;

    my ($status) = $t->api('PUT', '/workflow/w', { name => 'w',
        description => "$n " . 'x' x 2000, rule => { match => [
            { output => "{'effect': 'allow', 'headers': {'x-n': "
                . "string(constraint.metadata.n)}}" } ] } });
    my $answer = $t->get('/gate/?type=c7');

    return $status == 200 && $answer && $answer->status == 200
        && $answer->body eq 7;
}

is(scalar(grep { revise($_) } 1 .. 5), 5, 'a workflow is revised');
my $revised = zone();

is(scalar(grep { revise($_) } 6 .. 105), 100, 'and a hundred times again');
my $zone = zone();

is($zone->{records}, $revised->{records}, 'the zone holds no more records');
is($zone->{free}, $revised->{free}, 'and is no fuller');


# a worker dies inside the lock, half-way through a change

fault('zone.kill_locked', 1);

$t->api('PUT', '/constraint/c1', { constraint_metadata => { n => 1 } });
my $answer = $t->get('/gate/?type=c1');
ok(!$answer || !$answer->status, 'it dies');

ok((wait_until {
    ($t->api('PUT', '/fault/zone.kill_locked', { value => 0 }))[0] == 200;
}), 'another worker answers');
ok((wait_until { $t->worker_pids() == 2 }), 'there is a new worker');

like($t->error_log(), qr/was locked by/, 'it had the lock');
is(zone()->{discards}, 1, 'the cache was discarded');
is(wrong(), 0, 'decisions are right');
cmp_ok(zone()->{records}, '>', 100, 'the cache fills again');
cmp_ok(counters('c300')->{executions}, '>', $before, 'counters are there');


# another path under the same name: another catalogue, and back again, while
# an old worker stays with a request under way

my $other = ($conf =~ s/SIZE/1m/r) =~ s{/store}{/other}r;

fault('task.delay_ms', 8000);
my $late = $t->connect();
$late->send('PUT', '/constraint/c3', close => 1,
    headers => { 'Content-Type' => 'application/json' },
    body => json({ constraint_metadata => { n => 3, late => \1 } }));
ok((wait_until {
    grep { (($t->api('GET', '/status'))[1])->{data}{worker}{writes_queued} }
        1 .. 20;
}), 'a write is under way');

$t->conf($other);
ok($t->reload(), 'the zone has another path');
ok((wait_until { $t->old_worker_pids() == 1 } 5),
    'a worker stays for the old one');
fault('task.delay_ms', 0);

is((($t->api('GET', '/status'))[1])->{data}{constraints}, 0,
    'the catalogue is another one');
isnt($t->get('/gate/?type=c7')->status, 200, 'it knows nothing');
is(($t->api('POST', '/workflow', { name => 'w', rule => {
    match => [ { output => "{'effect': 'allow', 'headers': {'x-n': "
        . "'other'}}" } ] } }))[0], 201, 'a workflow of it');
is(($t->api('POST', '/constraint', { message_type => 'c7',
    subject_id => '*', dsl_workflow_id => 'w',
    constraint_metadata => { n => 1 } }))[0], 201, 'a constraint of it');
is($t->get('/gate/?type=c7')->body, 'other', 'is decided by');
is($late->read_response()->status, 200, 'the late write is done');

configure('1m');
ok($t->reload(wait_old => 1), 'the path is the old one again');
is(wrong(), 0, 'decisions are right');
ok((($t->api('GET', '/constraint/c3'))[1])->{data}{constraint_metadata}{late},
    'the late write went where it belongs');


# ten thousand constraints fit 32 MB

if ($t->long()) {
    configure('32m');
    ok($t->reload(wait_old => 1), 'a zone of 32m');

    my $client = $t->connect();
    my $made = 0;

    for my $n ($count + 1 .. 10000) {
        my $answer = $client->request('POST', '/constraint',
            headers => { 'Content-Type' => 'application/json' },
            body => json({ message_type => "constraint.number.$n",
                subject_id => '*', dsl_workflow_id => 'w',
                constraint_metadata => { n => $n, pad => 'x' x 100 } }));
        $made++ if $answer && $answer->status == 201;
        $client = $t->connect() if $n % 500 == 0;
    }

    is($made, 10000 - $count, 'ten thousand constraints are registered');

    my $right = 0;

    for my $n ($count + 1 .. 10000) {
        my $answer = $client->request('GET',
            "/gate/?type=constraint.number.$n");
        $right++ if $answer && $answer->body eq $n;
        $client = $t->connect() if $n % 500 == 0;
    }

    is($right, 10000 - $count, 'all are decided right');
    is(wrong(), 0, 'the first ones, too');
    is(zone()->{evictions}, 0, 'there is room for all');
    cmp_ok(zone()->{records}, '>=', 10000, 'all are in the zone');
    note(json(zone()));
}

done_testing();
