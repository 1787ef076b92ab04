#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What the gate lets through and what it refuses: header policies, body
# policies, outcomes, association, the shape of the refusal.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END');
location /anyone { constraint anyone; proxy_pass http://backend; }
location /alice {
    constraint alice subject=$http_x_user subject_trusted=on;
    proxy_pass http://backend;
}
location /body { constraint body; proxy_pass http://backend; }
location /hold { constraint hold; proxy_pass http://backend; }
location /none { constraint nothing; proxy_pass http://backend; }
location /lenient { constraint lenient; proxy_pass http://backend; }
location /full {
    constraint hold;
    constraint_deny_detail full;
    proxy_pass http://backend;
}
location /status {
    constraint anyone;
    constraint_deny_status 451;
    proxy_pass http://backend;
}
location /nginx {
    constraint hold;
    constraint_deny_body nginx;
    proxy_pass http://backend;
}
END

$t->register('anyone', "request.method == 'GET'");
$t->register('alice', 'true', subject_id => 'alice');
$t->register('body', <<'END');
request.method == 'GET'
    ? {'effect': 'allow'}
    : input.value > 5
        ? {'outcome': 'HOLD', 'message': 'too large'}
        : {'outcome': 'ALLOW'}
END
$t->register('hold', <<'END');
{'outcome': 'HOLD', 'message': 'wait "here"', 'status': 429,
 'headers': {'Retry-After': '7'}}
END
$t->register_document('nothing', { name => 'nothing_flow', rule => { match => [
    { condition => "request.method == 'DELETE'", output => 'true' },
] } });
$t->register_document('lenient', { name => 'lenient_flow', rule => { match => [
    { condition => "request.method == 'DELETE'", output => 'false' },
] } }, default_effect => 'allow');

my $b = $t->{backend};
my $r;

# allowed and denied by headers

is($t->get('/anyone')->status, 200, 'what the policy allows passes');
is($b->count, 1, 'and reaches the service');

$b->clear();
$r = $t->request('PUT', '/anyone', body => 'x');
is($r->status, 403, 'what it denies is refused');
is($b->count, 0, 'and does not reach the service');
is($r->header('content-type'), 'application/json', 'the refusal is JSON');
is($r->json->{success}, JSON::PP::false, 'it says that it is no success');
is($r->json->{code}, 'DENY', 'it has the outcome for a code');
is($r->json->{outcome}, 'DENY', 'it has the outcome');
like($r->json->{id}, qr/^[0-9a-f]{32}$/, 'it has an id');
ok($r->json->{error}, 'it has a text');
ok(!exists $r->json->{decision}, 'it tells no more than that');

is($t->request('HEAD', '/status')->status, 451,
    'constraint_deny_status gives the status');
is($t->request('HEAD', '/status')->body, '', 'HEAD gets no body');

# outcomes

$r = $t->get('/hold');
is($r->status, 429, 'the status of the verdict comes first');
is($r->json->{outcome}, 'HOLD', 'an outcome of its own');
is($r->json->{code}, 'HOLD', 'is the code');
is($r->json->{error}, 'wait "here"', 'with its message');
is($r->header('retry-after'), '7', 'with its headers');

$r = $t->get('/full');
is($r->json->{decision}{effect}, 'deny', 'full detail shows the effect');
is($r->json->{decision}{where}, 'inline', 'where it ran');
is($r->json->{decision}{message_type}, 'hold', 'of which constraint');
is($r->json->{decision}{id}, $r->json->{id}, 'with the same id');
cmp_ok($r->json->{decision}{revision}, '>', 0, 'and which revision');
cmp_ok($r->json->{decision}{cost}, '>', 0, 'and what it cost');

$r = $t->get('/nginx');
is($r->status, 429, 'constraint_deny_body nginx keeps the status');
like($r->header('content-type'), qr{text/html}, 'and has nginx answer');

# nothing matches

$b->clear();
$r = $t->get('/none');
is($r->status, 403, 'no match is a denial');
is($b->count, 0, 'that reaches nobody');
is($t->get('/lenient')->status, 200, 'unless the default effect is allow');

# association

is($t->get('/alice', headers => { 'X-User' => 'alice' })->status, 200,
    'the subject of the constraint passes');
$r = $t->get('/alice', headers => { 'X-User' => 'bob' });
is($r->status, 403, 'another one does not');
is($r->json->{code}, 'NotAssociated', 'for not being associated');
$r = $t->get('/alice');
is($r->status, 403, 'nor does nobody');
is($r->json->{code}, 'SubjectMissing', 'for the missing subject');

# bodies

$b->clear();
is($t->get('/body')->status, 200, 'a body that is not read is not needed');
is($t->post('/body', '{"value": 3}')->status, 200, 'a good body passes');
is($b->last->{body}, '{"value": 3}', 'and arrives as it was sent');
$b->clear();
$r = $t->post('/body', '{"value": 7}');
is($r->status, 403, 'another one does not');
is($r->json->{error}, 'too large', 'for what is in it');
is($b->count, 0, 'and does not arrive');

for my $size (10, 5000, 20000, 70000, 300000) {
    my $body = json({ value => 1, pad => 'x' x $size });

    is($t->post('/body', $body)->status, 200, "a body of $size passes");
    is($b->last->{body}, $body, 'and arrives whole');
    is($t->post('/body', $body, chunked => 1)->status, 200, 'in chunks, too');
    is($b->last->{body}, $body, 'and arrives whole');
}

# a keepalive connection stays usable

my $c = $t->connect();
is($c->request('POST', '/body', body => '{"value": 9}')->status, 403,
    'a denied request');
is($c->request('POST', '/body', body => '{"value": 1}')->status, 200,
    'leaves its connection usable');
is($c->request('PUT', '/anyone', body => 'x' x 100)->status, 403,
    'a denied request with an unread body');
is($c->request('GET', '/anyone')->status, 200, 'does, too');

done_testing();
