#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# "execution" of a constraint: what is kept, what is refused and where; each
# bad field is one row, sent to POST, to PUT and, as a field of it, to a
# profile.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new()->conf(<<'END')->run();
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

my $breaker = '"violations": 20, "window_ms": 10000, "open_ms": 5000';

$t->api('POST', '/workflow', { name => 'w',
    rule => { match => [ { output => 'true' } ] } });

is(create('kept', '{}'), 201, 'an empty execution says nothing');

# what is right: the field as text of JSON

for my $execution (
    '{"max_exec_ms":0.001}', '{"max_exec_ms":5}', '{"max_exec_ms":600000}',
    '{"max_exec_ms":5.2}', '{"max_exec_ms":5.0}',
    '{"cpu_shares":0}', '{"cpu_shares":100}',
    '{"memory_limit_bytes":1}', '{"memory_limit_bytes":1099511627776}',
    '{"sampling_rate":1}', '{"sampling_rate":1.0}',
    '{"sampling_rate":0,"sampled_out_effect":"deny"}',
    '{"sampling_rate":0.1,"sampled_out_effect":"allow"}',
    '{"sampling_rate":0.1,"observational":true}',
    '{"sampled_out_effect":"deny"}',
    '{"sampling_key":"subject.id"}',
    '{"sampling_key":"request.headers[\'x-a\'] + \'x\'"}',
    '{"sampling_key":"input.id"}',
    '{"fail_closed_on_timeout":true}', '{"fail_closed_on_timeout":false}',
    '{"max_retries":0}', '{"max_retries":10}',
    '{"retry_backoff_ms":0}', '{"retry_backoff_ms":0.5}',
    '{"retry_backoff_ms":60000}',
    '{"retry_strategy":"fixed"}', '{"retry_strategy":"exponential"}',
    '{"observational":false}', '{"observational":true}',
    "{\"breaker\":{$breaker}}",
    "{\"breaker\":{$breaker,\"effect\":\"shadow\",\"half_open_probes\":3}}",
    '{"adaptive":{"factor":3,"min_ms":1,"max_ms":50}}',
    '{"adaptive":{"factor":0.5,"min_ms":0.001,"max_ms":0.001}}',
    '{"adaptive":{"factor":1000,"min_ms":1,"max_ms":600000}}',
    '{"adaptive":{"factor":3,"min_ms":1,"max_ms":50},"max_exec_ms":1}',
    '{"adaptive":{"factor":3,"min_ms":1,"max_ms":50},"max_exec_ms":50}')
{
    is(put('kept', $execution), 200, "taken: $execution");

    my $got = ($t->api('GET', '/constraint/kept'))[1]{data}{execution};
    is(json($got), json(JSON::PP->new->decode($execution)), 'and kept');
}

# what is wrong: the fields, the path, what is said

my @rows = (
    [ '"max_exec_ms":0', 'max_exec_ms', 'must be a number of 0.001' ],
    [ '"max_exec_ms":0.0', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":-5', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":0.0009', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":600000.1', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":1e308', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":"5"', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":"NaN"', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":"Infinity"', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":null', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":true', 'max_exec_ms', 'must be a number' ],
    [ '"max_exec_ms":[]', 'max_exec_ms', 'must be a number' ],
    [ '"cpu_shares":-1', 'cpu_shares', 'must be an integer of 0 to 100' ],
    [ '"cpu_shares":101', 'cpu_shares', 'must be an integer of 0 to 100' ],
    [ '"cpu_shares":50.5', 'cpu_shares', 'must be an integer' ],
    [ '"cpu_shares":"50"', 'cpu_shares', 'must be an integer' ],
    [ '"cpu_shares":null', 'cpu_shares', 'must be an integer' ],
    [ '"memory_limit_bytes":0', 'memory_limit_bytes', 'must be an integer' ],
    [ '"memory_limit_bytes":-1', 'memory_limit_bytes', 'must be an integer' ],
    [ '"memory_limit_bytes":1.5', 'memory_limit_bytes', 'must be an int' ],
    [ '"memory_limit_bytes":9223372036854775807', 'memory_limit_bytes',
        'must be an integer' ],
    [ '"memory_limit_bytes":"1m"', 'memory_limit_bytes', 'must be an int' ],
    [ '"sampling_rate":-0.1', 'sampling_rate', 'must be a number of 0 to 1' ],
    [ '"sampling_rate":1.0001', 'sampling_rate', 'must be a number' ],
    [ '"sampling_rate":2', 'sampling_rate', 'must be a number' ],
    [ '"sampling_rate":"0.5"', 'sampling_rate', 'must be a number' ],
    [ '"sampling_rate":0.5', 'sampled_out_effect', 'is required' ],
    [ '"sampling_rate":0', 'sampled_out_effect', 'is required' ],
    [ '"sampling_rate":0.5,"observational":false', 'sampled_out_effect',
        'is required' ],
    [ '"sampled_out_effect":"shadow"', 'sampled_out_effect', 'must be "all' ],
    [ '"sampled_out_effect":"ALLOW"', 'sampled_out_effect', 'must be "all' ],
    [ '"sampled_out_effect":true', 'sampled_out_effect', 'must be "allow"' ],
    [ '"sampled_out_effect":null', 'sampled_out_effect', 'must be "allow"' ],
    [ '"sampling_key":""', 'sampling_key', 'must be a CEL expression of 1' ],
    [ '"sampling_key":5', 'sampling_key', 'must be a string' ],
    [ '"sampling_key":"' . 'x' x 4097 . '"', 'sampling_key', 'must be a CEL' ],
    [ '"sampling_key":"1 +"', 'sampling_key', 'does not compile' ],
    [ '"sampling_key":"nothing.id"', 'sampling_key', 'does not compile' ],
    [ '"sampling_key":"1 + 1"', 'sampling_key', 'must be a CEL expression '
        . 'that gives a string' ],
    [ '"fail_closed_on_timeout":1', 'fail_closed_on_timeout', 'must be true' ],
    [ '"fail_closed_on_timeout":"true"', 'fail_closed_on_timeout',
        'must be true or false' ],
    [ '"max_retries":11', 'max_retries', 'must be an integer of 0 to 10' ],
    [ '"max_retries":-1', 'max_retries', 'must be an integer of 0 to 10' ],
    [ '"max_retries":1.0', 'max_retries', 'must be an integer' ],
    [ '"retry_backoff_ms":-1', 'retry_backoff_ms', 'must be a number of 0' ],
    [ '"retry_backoff_ms":60001', 'retry_backoff_ms', 'must be a number' ],
    [ '"retry_backoff_ms":"10"', 'retry_backoff_ms', 'must be a number' ],
    [ '"retry_strategy":"linear"', 'retry_strategy', 'must be "fixed"' ],
    [ '"retry_strategy":2', 'retry_strategy', 'must be "fixed"' ],
    [ '"observational":"yes"', 'observational', 'must be true or false' ],
    [ '"observational":true,"fail_closed_on_timeout":true',
        'fail_closed_on_timeout', 'contradicts observational' ],
    [ '"observational":true,"sampled_out_effect":"deny"',
        'sampled_out_effect', 'contradicts observational' ],
    [ "\"observational\":true,\"breaker\":{$breaker,\"effect\":\"deny\"}",
        'breaker.effect', 'contradicts observational' ],
    [ '"breaker":true', 'breaker', 'must be an object' ],
    [ '"breaker":null', 'breaker', 'must be an object' ],
    [ '"breaker":{}', 'breaker.violations',
        'is required, an integer of 1 to 1000000' ],
    [ '"breaker":{"violations":0,"window_ms":1,"open_ms":1}',
        'breaker.violations', 'must be an integer of 1' ],
    [ '"breaker":{"violations":1.5,"window_ms":1,"open_ms":1}',
        'breaker.violations', 'must be an integer of 1' ],
    [ '"breaker":{"violations":1,"open_ms":1}', 'breaker.window_ms',
        'is required' ],
    [ '"breaker":{"violations":1,"window_ms":3600001,"open_ms":1}',
        'breaker.window_ms', 'must be an integer of 1 to 3600000' ],
    [ '"breaker":{"violations":1,"window_ms":1}', 'breaker.open_ms',
        'is required' ],
    [ '"breaker":{"violations":1,"window_ms":1,"open_ms":0}',
        'breaker.open_ms', 'must be an integer of 1 to 3600000 millisec' ],
    [ '"breaker":{"violations":1,"window_ms":null,"open_ms":1}',
        'breaker.window_ms', 'must be an integer of 1 to 3600000 millisec' ],
    [ "\"breaker\":{$breaker,\"effect\":\"open\"}", 'breaker.effect',
        'must be "deny", "allow" or "shadow"' ],
    [ "\"breaker\":{$breaker,\"half_open_probes\":0}",
        'breaker.half_open_probes', 'must be an integer of 1 to 1000' ],
    [ "\"breaker\":{$breaker,\"close\":1}", 'breaker.close', 'is unknown' ],
    [ '"adaptive":[]', 'adaptive', 'must be an object' ],
    [ '"adaptive":{"min_ms":1,"max_ms":50}', 'adaptive.factor',
        'is required, a number above 0 and at most 1000' ],
    [ '"adaptive":{"factor":0,"min_ms":1,"max_ms":50}', 'adaptive.factor',
        'must be a number above 0' ],
    [ '"adaptive":{"factor":-3,"min_ms":1,"max_ms":50}', 'adaptive.factor',
        'must be a number above 0' ],
    [ '"adaptive":{"factor":1001,"min_ms":1,"max_ms":50}', 'adaptive.factor',
        'must be a number above 0' ],
    [ '"adaptive":{"factor":3,"max_ms":50}', 'adaptive.min_ms', 'is req' ],
    [ '"adaptive":{"factor":3,"min_ms":0,"max_ms":50}', 'adaptive.min_ms',
        'must be a number of 0.001' ],
    [ '"adaptive":{"factor":3,"min_ms":1}', 'adaptive.max_ms', 'is req' ],
    [ '"adaptive":{"factor":3,"min_ms":51,"max_ms":50}', 'adaptive.min_ms',
        'must not be above max_ms' ],
    [ '"adaptive":{"factor":3,"min_ms":1,"max_ms":50,"x":1}', 'adaptive.x',
        'is unknown' ],
    [ '"adaptive":{"factor":"NaN","min_ms":1,"max_ms":50}',
        'adaptive.factor', 'must be a number above 0' ],
    [ '"adaptive":{"factor":null,"min_ms":1,"max_ms":50}',
        'adaptive.factor', 'must be a number above 0' ],
    [ '"adaptive":{"factor":1e308,"min_ms":1,"max_ms":50}',
        'adaptive.factor', 'must be a number above 0' ],
    [ '"adaptive":{"factor":-0.0,"min_ms":1,"max_ms":50}',
        'adaptive.factor', 'must be a number above 0' ],
    [ '"adaptive":{"factor":3,"min_ms":"inf","max_ms":50}',
        'adaptive.min_ms', 'must be a number of 0.001' ],
    [ '"adaptive":{"factor":3,"min_ms":-1,"max_ms":50}',
        'adaptive.min_ms', 'must be a number of 0.001' ],
    [ '"adaptive":{"factor":3,"min_ms":1,"max_ms":"-Infinity"}',
        'adaptive.max_ms', 'must be a number of 0.001' ],
    [ '"adaptive":{"factor":3,"min_ms":1,"max_ms":600000.1}',
        'adaptive.max_ms', 'must be a number of 0.001' ],
    [ '"adaptive":{"factor":3,"min_ms":1,"max_ms":0.999}',
        'adaptive.min_ms', 'must not be above max_ms' ],
    [ '"adaptive":{"factor":3,"min_ms":1,"max_ms":50},"max_exec_ms":0.999',
        'max_exec_ms', 'contradicts adaptive: it is below its min_ms' ],
    [ '"max_exec_ms":50.001,"adaptive":{"factor":3,"min_ms":1,"max_ms":50}',
        'max_exec_ms', 'contradicts adaptive: it is above its max_ms' ],
    [ '"max_exec":5', 'max_exec', 'is unknown; known are max_exec_ms' ],
    [ '"MAX_EXEC_MS":5', 'MAX_EXEC_MS', 'is unknown' ],
    [ '"":5', '', 'is unknown' ],
    [ '"profile":"fast_rule"', 'profile', 'is unknown' ],
);

for my $row (@rows) {
    my ($fields, $path, $message) = @$row;
    my $shown = length($fields) > 60 ? substr($fields, 0, 60) . '...'
        : $fields;

    refused("$shown in POST", "\$.execution.$path", $message,
        request('POST', '/constraint', record('bad', "{$fields}")));
    refused("$shown in PUT", "\$.execution.$path", $message,
        request('PUT', '/constraint/kept', "{\"execution\":{$fields}}"));
    refused("$shown in a profile", "\$.$path", $message,
        request('PUT', '/profiles/bad', "{$fields}"));

}

is(($t->api('GET', '/constraint/bad'))[0], 404, 'nothing of it is stored');
is(($t->api('GET', '/profiles/bad'))[0], 404, 'as a profile neither');

for my $value ('5', '"fast_rule"', '[]', 'true') {
    refused("execution $value", '$.execution', 'must be an object',
        request('PUT', '/constraint/kept', "{\"execution\":$value}"));
}

for my $value ('5', '""', '"a b"', '"check"', '{}') {
    refused("profile $value", '$.profile', 'must be',
        request('PUT', '/constraint/kept', "{\"profile\":$value}"));
}

refused("$_ beside execution", "\$.$_", 'is a member of execution',
    request('PUT', '/constraint/kept', "{\"$_\":5}"))
    for qw(max_exec_ms breaker adaptive sampling_rate);

# a cut path is still valid

my $r = request('PUT', '/constraint/kept',
    '{"execution":{"' . "\xc3\xa4" x 300 . '":1}}');
is($r->status, 400, 'a very long name');
like($r->json->{details}[0]{path}, qr/^\$\.execution\.\xe4{40,}\z/,
    'is cut between characters');

# replaced as a whole, taken away by null

is(put('kept', '{"max_exec_ms":5,"cpu_shares":3}'), 200, 'two fields');
is(put('kept', '{"max_retries":1}'), 200, 'another one');
is(json(($t->api('GET', '/constraint/kept'))[1]{data}{execution}),
    '{"max_retries":1}', 'execution is replaced as a whole');
is(put('kept', 'null'), 200, 'null');
ok(!exists(($t->api('GET', '/constraint/kept'))[1]{data}{execution}),
    'takes it away');

# numbers that JSON has not

for my $number ('NaN', 'Infinity', '-Infinity', '1e309', '.5', '0x5') {
    for my $field ('"max_exec_ms":N', '"sampling_rate":N',
        '"adaptive":{"factor":N,"min_ms":1,"max_ms":50}')
    {
        my $fields = $field =~ s/N\b/$number/r;
        my $r = request('PUT', '/constraint/kept',
            "{\"execution\":{$fields}}");
        is($r->status, 400, "refused: $fields");
    }
}


# a limit of a level beneath is held inside of the bounds

is(request('PUT', '/profiles/slow', '{"max_exec_ms":900}')->status, 201,
    'a profile with a limit');
is(request('PUT', '/constraint/kept', '{"profile":"slow","execution":'
    . '{"adaptive":{"factor":3,"min_ms":1,"max_ms":50}}}')->status, 200,
    'of a constraint that adapts below it');
is(($t->api('GET', '/constraint/metadata/kept'))[1]
    ->{metadata}{adaptive}{max_exec_ms}, 50, 'it is inside of the bounds');
is(request('PUT', '/constraint/kept', '{"profile":null}')->status, 200,
    'taken away');


# lists know the fields

is(put('kept', '{"max_exec_ms":5}'), 200, 'a field to look for');
my $data = ($t->api('POST', '/constraints',
    { 'execution.max_exec_ms' => { '$gte' => 5 } }))[1];
is(scalar(@{$data->{data}}), 1, 'a filter finds it');


sub record {
    my ($name, $execution) = @_;

    return '{"message_type":"' . $name . '","subject_id":"*",'
        . '"dsl_workflow_id":"w","constraint_metadata":{},'
        . "\"execution\":$execution}";
}


sub request {
    my ($method, $path, $body) = @_;

    return $t->request($method, $path, body => $body,
        headers => { 'Content-Type' => 'application/json' });
}


sub create {
    return request('POST', '/constraint', record(@_))->status;
}


sub put {
    my ($name, $execution) = @_;

    return request('PUT', "/constraint/$name",
        "{\"execution\":$execution}")->status;
}


sub refused {
    my ($what, $path, $message, $r) = @_;

    my $answer = $r->json;
    my $detail = $answer->{details}[0];

    is($r->status, 400, "refused: $what");
    is($answer->{code}, 'InvalidField', 'by its code');
    is($detail->{path}, $path, "at $path");
    like($detail->{message}, qr/^\Q$message/, 'with what is right');
}
