#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The API as the target of nginx's own subrequests: auth_request and mirror.
# A call may wait in a thread while the main request goes on or ends.

use warnings;
use strict;

use FindBin;
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
        location = /asked {
            auth_request /constraint/metadata/c;
            proxy_pass http://127.0.0.1:%%PORT%%/status;
        }
        location = /mirrored {
            mirror /constraint;
            proxy_pass http://127.0.0.1:%%PORT%%/constraints;
        }
        location = /listed {
            mirror /constraints;
            proxy_pass http://127.0.0.1:%%PORT%%/constraint/execute/c;
        }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } }))[0], 201, 'a workflow');

is($t->get('/asked')->status, 500, 'auth_request: 404 is its failure');

is(($t->api('POST', '/constraint', { message_type => 'c', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} }))[0], 201,
    'a constraint');

my $r = $t->get('/asked');
is($r->status, 200, 'auth_request: 200 lets it pass');
is($r->json->{success}, JSON::PP::true, 'to the other call');

# the body is a record for the mirror and a filter for the other call

my $c = $t->connect();

for my $i (1 .. 20) {
    $r = $c->request('POST', '/mirrored', body => json({
        message_type => "m$i", subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => {} }));
    is($r->status, 200, 'the main request');
    ok((wait_until { ($t->api('GET', "/constraint/m$i"))[0] == 200 } 10),
        'the mirror writes');
}

for my $way ('close', 'reset') {
    my $c = $t->connect();
    $c->send('POST', '/mirrored', body => json({ message_type => $way,
        subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => {} }));
    $c->$way();

    $c = $t->connect();
    $c->send('POST', '/listed', body => '{}');
    $c->$way();
}

is($c->request('POST', '/listed', body => '{}')->status, 200,
    'a list in the mirror');
is(($t->api('GET', '/status'))[0], 200, 'the server goes on');
