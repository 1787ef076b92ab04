#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A store that cannot be opened: the API says so and comes back by itself.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new(need => [ 'faults' ])->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_fault store.open_fails 1;
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

$t->allow(qr/store|constraint/);

my ($status, $data) = $t->api('GET', '/status');
is($status, 200, 'the status is there');
is($data->{data}{store}{state}, 'unavailable', 'the store is not');
ok(length($data->{data}{store}{error}), 'and why');

my $w = { name => 'w', rule => { match => [ { output => 'true' } ] } };
my $c = { message_type => 'c', subject_id => '*', dsl_workflow_id => 'w',
    constraint_metadata => {} };

for my $call ([ POST => '/constraint', $c ], [ GET => '/constraint/c' ],
    [ PUT => '/constraint/c', {} ], [ DELETE => '/constraint/c' ],
    [ POST => '/constraints', {} ], [ POST => '/workflow', $w ],
    [ GET => '/workflow/w' ], [ POST => '/workflows', {} ],
    [ POST => '/constraint/execute/c', {} ],
    [ GET => '/constraint/metadata/c' ], [ POST => '/constraint/unload/c' ])
{
    ($status, $data) = $t->api(@$call);
    is($status, 503, "$call->[0] $call->[1]");
    is($data->{code}, 'StoreUnavailable', 'its code');
}

is(($t->api('POST', '/workflow/check', $w))[0], 200,
    'checking needs no store');

is(($t->api('PUT', '/fault/store.open_fails', { value => 0 }))[0], 200,
    'it can be opened');
ok((wait_until { ($t->api('GET', '/status'))[1]{data}{store}{state}
    eq 'open' } 10), 'it is, within a second or so');
is(($t->api('POST', '/workflow', $w))[0], 201, 'writing goes on');
is(($t->api('GET', '/workflow/w'))[0], 200, 'reading, too');
