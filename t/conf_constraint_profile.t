#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_profile: what is accepted, what is refused, what is
# inherited, and what it means beside a constraint's own profile.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;

my $c = Test::Constraint::Conf->new();
my $d = 'constraint_profile_define mine max_exec_ms=1;';

for my $where (qw(http server location)) {
    $c->good($where, 'constraint_profile fast_rule;');
    $c->good($where, 'constraint_profile off;');
    $c->bad($where, 'constraint_profile mine;',
        qr/unknown profile "mine" in .*nginx\.conf:\d+: it is neither/);
    $c->bad($where, 'constraint_profile off; constraint_profile off;',
        qr/is duplicate/);
}

$c->good('http', "$d constraint_profile mine;");
$c->good('http', "constraint_profile mine; $d");
$c->bad('main', 'constraint_profile off;', qr/not allowed here/);
$c->bad('http', 'constraint_profile;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_profile a b;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_profile "";', qr/has an empty name/);
$c->bad('http', 'constraint_profile FAST_RULE;', qr/unknown profile/);

# no server inherits it, and yet it is looked at

$c->bad('http', 'constraint_profile mine; server { listen 127.0.0.1:%%PORT_1%%;'
    . ' constraint_profile off; }', qr/unknown profile "mine"/);

# inheritance, as the metadata of each location's own calls shows it

my $t = Test::Constraint->new()->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    constraint_profile_define mine max_exec_ms=1.5 cpu_shares=7
                              sampling_key=subject.id;
    constraint_profile mine;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /off { constraint_api z prefix=/off; constraint_profile off; }
        location /own {
            constraint_api z prefix=/own;
            constraint_profile wasm_hook;
        }
    }
}
END

$t->api('POST', '/workflow', { name => 'w',
    rule => { match => [ { output => 'true' } ] } });

my ($status) = $t->api('POST', '/constraint', { message_type => 'plain',
    subject_id => '*', dsl_workflow_id => 'w', constraint_metadata => {} });
is($status, 201, 'a constraint that says nothing');

($status) = $t->api('POST', '/constraint', { message_type => 'bounded',
    subject_id => '*', dsl_workflow_id => 'w', constraint_metadata => {},
    profile => 'fast_rule', execution => { cpu_shares => 99,
    sampling_rate => 0.5, sampled_out_effect => 'allow' } });
is($status, 201, 'one with a profile and execution');

# location, field, value, source

for my $row (
    [ 'plain', '', 'max_exec_ms', 1.5, 'location' ],
    [ 'plain', '', 'cpu_shares', 7, 'location' ],
    [ 'plain', '', 'sampling_key', 'subject.id', 'location' ],
    [ 'plain', '', 'memory_limit_bytes', undef, 'default' ],
    [ 'plain', '/off', 'max_exec_ms', undef, 'default' ],
    [ 'plain', '/off', 'cpu_shares', 100, 'default' ],
    [ 'plain', '/own', 'max_exec_ms', 10, 'location' ],
    [ 'plain', '/own', 'max_retries', 2, 'location' ],
    [ 'plain', '/own', 'sampling_key', undef, 'default' ],
    [ 'bounded', '', 'max_exec_ms', 5, 'profile' ],
    [ 'bounded', '', 'cpu_shares', 99, 'constraint' ],
    [ 'bounded', '', 'sampling_rate', 0.5, 'constraint' ],
    [ 'bounded', '', 'sampling_key', 'subject.id', 'location' ],
    [ 'bounded', '', 'memory_limit_bytes', 1048576, 'profile' ],
    [ 'bounded', '/own', 'max_retries', 2, 'location' ],
    [ 'bounded', '/off', 'max_retries', 0, 'default' ])
{
    my ($name, $prefix, $field, $value, $source) = @$row;
    my $m = ($t->api('GET', "$prefix/constraint/metadata/$name"))[1]
        ->{metadata};

    is($m->{execution}{$field}, $value, "$name at $prefix/: $field");
    is($m->{execution_sources}{$field}, $source, "by the $source");
}

my $m = ($t->api('GET', '/constraint/metadata/plain'))[1]->{metadata};
is($m->{profile}, undef, 'it names no profile');
$m = ($t->api('GET', '/constraint/metadata/bounded'))[1]->{metadata};
is($m->{profile}, 'fast_rule', 'it names one');
is($m->{execution}{observational}, JSON::PP::false, 'which blocks');
is($m->{execution_sources}{observational}, 'profile', 'by itself');

done_testing();
