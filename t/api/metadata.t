#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# GET /constraint/metadata/{message_type}, POST /constraint/unload, GET /status:
# what the server knows, and that looking does not change it.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

# what is loaded is asked of one worker

my $t = Test::Constraint->new(workers => 1)->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    client_max_body_size 0;
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

my ($status, $data, $headers) = $t->api('GET', '/status');
is($status, 200, 'status of an empty catalogue');
$data = $data->{data};
like($data->{version}, qr/^\d+\.\d+\.\d+$/, 'the version');
is($data->{schema}, 1, 'the schema');
is($data->{constraints}, 0, 'no constraints');
is($data->{workflows}, 0, 'no workflows');
is($data->{store}{state}, 'open', 'the store is open');
cmp_ok($data->{store}{map_size}, '>', 0, 'its size');
cmp_ok($data->{store}{readers_max}, '==', 4096, 'its readers');
is($data->{zone}{name}, 'z', 'the zone');
is($data->{zone}{size}, 8 * 1024 * 1024, 'its size');
cmp_ok($data->{zone}{free}, '>', 0, 'what is free');
ok((grep { $_ == $data->{worker}{pid} } $t->worker_pids()),
    'the worker that answered');

my $before = $data->{generation};

$t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { condition => "request.headers['x-a'] == input.a", output => 'true' },
    { output => 'false' } ] } });
$t->api('POST', '/constraint', { message_type => 'c', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} });

(undef, $data) = $t->api('GET', '/status');
cmp_ok($data->{data}{generation}, '>', $before, 'the generation has moved');
is($data->{data}{constraints}, 1, 'a constraint');
is($data->{data}{workflows}, 1, 'a workflow');

sub metadata {
    my ($args) = @_;
    my ($status, $data, $headers) = $t->api('GET', '/constraint/metadata/c'
        . ($args ? "?$args" : ''));
    is($status, 200, 'metadata');
    return ($data->{metadata}, $headers);
}

my ($m, $h) = metadata();
is($m->{message_type}, 'c', 'of which');
is($m->{dsl_workflow_id}, 'w', 'its workflow');
is("\"$m->{revision}\"", $h->{etag}, 'its revision and tag');
cmp_ok($m->{workflow_revision}, '>', 0, 'of the workflow');
is($m->{enabled}, JSON::PP::true, 'enabled');
is($m->{loaded}{worker}, JSON::PP::false, 'not loaded');
is(json([ map { $_->{name} } @{$m->{facts}} ]),
    '["request.headers","input"]', 'the facts it reads');
cmp_ok($m->{cost}{min}, '>', 0, 'the least cost');
cmp_ok($m->{cost}{max}, '>=', $m->{cost}{min}, 'the most');
is($m->{rules}, 2, 'rules');
is($m->{counters}{executions}, 0, 'not executed');
is($m->{latency}{max_us}, 0, 'no latency');
($m) = metadata();
is($m->{loaded}{worker}, JSON::PP::false, 'looking has not loaded it');

($m) = metadata('header_bytes=50&body_bytes=60');
is($m->{cost}{header_bytes}, 50, 'an estimate for given sizes');
is($m->{cost}{body_bytes}, 60, 'both of them');
is(($t->api('GET', "/constraint/metadata/c?$_"))[0], 400, "?$_")
    for 'header_bytes=0', 'body_bytes=x', 'body_bytes=99999999999', 'x=1';

# use

for my $a (1, 1, 2) {
    my ($status) = $t->api('POST', '/constraint/execute/c',
        { input_data => { a => "$a" } }, headers => { 'X-A' => '1' });
    is($status, 200, 'executed');
}

is(($t->api('POST', '/constraint/execute/c', { input_data => 5 },
    headers => { 'X-A' => '1' }))[0], 200, 'with an error');

($m) = metadata();
is($m->{loaded}{worker}, JSON::PP::true, 'now it is loaded');
is($m->{loaded}{zone}, JSON::PP::true, 'in the zone, too');
is($m->{counters}{executions}, 4, 'executions');
is($m->{counters}{allows}, 2, 'allows');
is($m->{counters}{denies}, 2, 'denies');
is($m->{counters}{errors_request}, 1, 'errors of requests');
is($m->{counters}{errors_ours}, 0, 'no errors of ours');
is($m->{counters}{inline} + $m->{counters}{thread}, 4, 'where they ran');
cmp_ok($m->{counters}{cost_units}, '>', 0, 'what it cost');
cmp_ok($m->{latency}{total_us}, '>=', $m->{latency}{max_us}, 'latency');
is(json([ map { $_->{name} } @{$m->{facts}} ]),
    '["request.headers","input"]', 'the same facts, from memory');

# unload

($status, $data) = $t->api('POST', '/constraint/unload/c');
is($status, 200, 'unloaded');
is(json($data), json({ success => JSON::PP::true,
    message => 'Constraint unloaded' }), 'the answer, word by word');
($m) = metadata();
is($m->{loaded}{worker}, JSON::PP::false, 'it is not loaded');
is($m->{loaded}{zone}, JSON::PP::false, 'not in the zone either');
is($m->{counters}{executions}, 4, 'the counters stay');
is(($t->api('POST', '/constraint/unload/c'))[0], 200, 'again is no error');
is(($t->api('GET', '/constraint/c'))[0], 200, 'it is still registered');
is(($t->api('POST', '/constraint/execute/c', { input_data => { a => '1' } },
    headers => { 'X-A' => '1' }))[1]{decision}{effect}, 'allow',
    'it loads again');
($m) = metadata();
is($m->{loaded}{worker}, JSON::PP::true, 'now it is loaded');

for my $path ('metadata', 'unload') {
    my $method = $path eq 'metadata' ? 'GET' : 'POST';

    for my $name ('none', 'x' x 256, 'a b', 'check') {
        ($status, $data) = $t->api($method, "/constraint/$path/"
            . http_escape($name));
        is($status, 404, "$path of " . substr($name, 0, 9));
        is($data->{code}, 'NotFound', 'its code');
    }
}

# forgotten with the constraint

is(($t->api('DELETE', '/constraint/c'))[0], 200, 'deleted');
is(($t->api('GET', '/constraint/metadata/c'))[0], 404, 'no metadata');
$t->api('POST', '/constraint', { message_type => 'c', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} });
($m) = metadata();
is($m->{counters}{executions}, 0, 'a new one counts anew');
