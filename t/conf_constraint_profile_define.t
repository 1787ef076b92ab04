#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_profile_define: what is accepted, what is refused
# and by which words.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;

my $d = 'constraint_profile_define';
my $c = Test::Constraint::Conf->new();

$c->good('http', "$d a.b:c_d-1 max_exec_ms=1;");
$c->good('http', "$d a max_exec_ms=1; $d b max_exec_ms=1;");

for my $where (qw(main server location)) {
    $c->bad($where, "$d a max_exec_ms=1;", qr/not allowed here/);
}

$c->bad('http', "$d;", qr/invalid number of arguments/);
$c->bad('http', "$d a;", qr/invalid number of arguments/);
$c->bad('http', "$d a max_exec_ms=1; $d a max_exec_ms=2;",
    qr/duplicate profile "a" in/);
$c->bad('http', "$d $_ max_exec_ms=1;",
    qr/profile "$_" is built in and cannot be defined/)
    for qw(fast_rule semantic_rule wasm_hook observational);
$c->bad('http', "$d a sampling_rate=0.5 sampled_out_effect=deny "
    . "'sampling_key=$_';", qr/profile "a": "sampling_key" /)
    for '1 +', '1 + 1', 'nobody.knows';
$c->good('http', "$d a sampling_rate=0.5 sampled_out_effect=deny "
    . "'sampling_key=subject.id + request.method';");
$c->bad('http', "$d off max_exec_ms=1;", qr/invalid profile name "off"/);
$c->bad('http', "$d 'a b' max_exec_ms=1;", qr/invalid profile name "a b"/);
$c->bad('http', "$d a 5;", qr/profile "a": "5" is not a field/);
$c->bad('http', "$d a =5;", qr/profile "a": "=5" is not a field/);
$c->bad('http', "$d a cpu_shares=1 cpu_shares=2;",
    qr/"cpu_shares=2" is given twice/);
$c->bad('http', "$d a breaker=1 breaker.open_ms=2;",
    qr/"breaker.open_ms=2" is given twice/);

# the same checks and words as over REST

for my $row (
    [ 'max_exec_ms=0', 'max_exec_ms', 'must be a number of 0.001 to 600000' ],
    [ 'max_exec_ms=-1', 'max_exec_ms', 'must be a number' ],
    [ 'max_exec_ms=nan', 'max_exec_ms', 'must be a number' ],
    [ 'max_exec_ms=inf', 'max_exec_ms', 'must be a number' ],
    [ 'max_exec_ms=1e999', 'max_exec_ms', 'must be a number' ],
    [ 'max_exec_ms=5ms', 'max_exec_ms', 'must be a number' ],
    [ 'max_exec_ms=', 'max_exec_ms', 'must be a number' ],
    [ 'cpu_shares=101', 'cpu_shares', 'must be an integer of 0 to 100' ],
    [ 'cpu_shares=1.5', 'cpu_shares', 'must be an integer' ],
    [ 'memory_limit_bytes=0', 'memory_limit_bytes', 'must be an integer' ],
    [ 'memory_limit_bytes=1x', 'memory_limit_bytes', 'must be an integer' ],
    [ 'memory_limit_bytes=-1k', 'memory_limit_bytes', 'must be an integer' ],
    [ 'sampling_rate=1.01', 'sampling_rate', 'must be a number of 0 to 1' ],
    [ 'sampling_rate=0.5', 'sampled_out_effect', 'is required' ],
    [ 'sampled_out_effect=maybe', 'sampled_out_effect', 'must be' ],
    [ 'fail_closed_on_timeout=yes', 'fail_closed_on_timeout',
        'must be true or false' ],
    [ 'fail_closed_on_timeout=1', 'fail_closed_on_timeout', 'must be true' ],
    [ 'max_retries=11', 'max_retries', 'must be an integer of 0 to 10' ],
    [ 'retry_backoff_ms=-1', 'retry_backoff_ms', 'must be a number of 0' ],
    [ 'retry_strategy=linear', 'retry_strategy', 'must be' ],
    [ 'sampling_key=', 'sampling_key', 'must be a CEL expression' ],
    [ 'observational=maybe', 'observational', 'must be true or false' ],
    [ 'observational=on fail_closed_on_timeout=on', 'fail_closed_on_timeout',
        'contradicts observational' ],
    [ 'observational=on breaker.violations=1 breaker.window_ms=1 '
        . 'breaker.open_ms=1 breaker.effect=deny', 'breaker.effect',
        'contradicts observational' ],
    [ 'breaker=5', 'breaker', 'must be an object' ],
    [ 'breaker.violations=0', 'breaker.violations', 'must be an integer' ],
    [ 'breaker.violations=1', 'breaker.window_ms', 'is required' ],
    [ 'breaker.x=1', 'breaker.x', 'is unknown' ],
    [ 'adaptive.factor=3 adaptive.min_ms=5 adaptive.max_ms=1',
        'adaptive.min_ms', 'must not be above max_ms' ],
    [ 'max_exec=5', 'max_exec', 'is unknown' ],
    [ 'x.y=5', 'x.y', 'is unknown' ])
{
    my ($words, $field, $message) = @$row;
    $c->bad('http', "$d a $words;",
        qr/profile "a": "\Q$field\E" \Q$message\E.* in .*nginx\.conf:\d+/);
}

$c->bad('http', "$d a 'sampling_key=1 +';",
    qr/profile "a": "sampling_key" does not compile: .* in .*nginx\.conf:\d+/);
$c->bad('http', "$d a sampling_key=1;",
    qr/"sampling_key" must be a CEL expression that gives a string/);
$c->bad('http', "$d a \"sampling_key=nginx.var('x_y')\";",
    qr/"sampling_key" does not compile/);
$c->good('http', "$d a \"sampling_key=nginx.var('remote_addr')\";"
    . ' constraint_allow_vars remote_addr;');

# every field, as REST shows it

my $t = Test::Constraint->new()->conf(<<"END")->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    $d all max_exec_ms=2.5 cpu_shares=30 memory_limit_bytes=1m
           sampling_rate=0.25 sampled_out_effect=allow
           sampling_key=subject.id fail_closed_on_timeout=on
           max_retries=3 retry_backoff_ms=0.5 retry_strategy=exponential
           breaker.violations=20 breaker.window_ms=10000
           breaker.open_ms=5000 breaker.effect=shadow
           breaker.half_open_probes=3
           adaptive.factor=3 adaptive.min_ms=1 adaptive.max_ms=50
           observational=false;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

my ($status, $data) = $t->api('GET', '/profiles/all');

is(JSON::PP->new->canonical->encode($data->{data}),
    '{"adaptive":{"factor":3,"max_ms":50,"min_ms":1},'
    . '"breaker":{"effect":"shadow","half_open_probes":3,"open_ms":5000,'
    . '"violations":20,"window_ms":10000},"cpu_shares":30,'
    . '"fail_closed_on_timeout":true,"max_exec_ms":2.5,"max_retries":3,'
    . '"memory_limit_bytes":1048576,"name":"all","observational":false,'
    . '"retry_backoff_ms":0.5,"retry_strategy":"exponential",'
    . '"sampled_out_effect":"allow","sampling_key":"subject.id",'
    . '"sampling_rate":0.25,"source":"configuration"}', 'every field');

done_testing();
