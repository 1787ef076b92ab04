#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Shadow mode: judges and logs, refuses nothing, delays nothing, reads no
# body that is not read anyway.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;
use Time::HiRes qw(time);

my $t = Test::Constraint::Gate->start(<<'END', http =>
constraint_log_level notice;
constraint_timeout 30s;

location /no {
    constraint no mode=shadow;
    add_header X-Mode $constraint_mode always;
    add_header X-Effect $constraint_effect always;
    proxy_pass http://backend;
}
location /both {
    constraint no mode=shadow;
    constraint yes;
    proxy_pass http://backend;
}
location /headers { constraint give mode=shadow; proxy_pass http://backend; }
location /body { constraint body mode=shadow; proxy_pass http://backend; }
location /static { constraint body mode=shadow; root %%TESTDIR%%; }
location /heavy {
    constraint no mode=shadow;
    constraint_offload always;
    proxy_pass http://backend;
}
location /late {
    constraint no mode=shadow;
    constraint_offload always;
    constraint_timeout 100ms;
    proxy_pass http://backend;
}
location /heavy_body {
    constraint body mode=shadow;
    constraint_offload always;
    proxy_pass http://backend;
}
location /unknown { constraint unknown mode=shadow; proxy_pass http://backend; }
location /path { constraint no mode=shadow; proxy_pass http://backend; }
location /first {
    constraint first mode=shadow;
    proxy_intercept_errors on;
    error_page 404 = /second?a=2;
    proxy_pass http://backend;
}
location /own {
    constraint own mode=shadow;
    constraint give;
    proxy_pass http://backend;
}
location /second {
    internal;
    constraint second mode=shadow;
    constraint yes;
    proxy_pass http://backend;
}
END
    'keepalive_timeout 10s;',
    reply => sub { ($_[0]{uri} =~ m{^/first} ? 404 : 200, {}, 'here') });

$t->write_file('static/x.html', 'a file');

my $b = $t->{backend};

$t->register('no', "{'outcome': 'HOLD', 'message': 'shadowed'}");
$t->register('yes', 'true');
$t->register('give', "{'effect': 'allow', 'headers': {'X-Role': 'root'}}");
$t->register('body', "input.a == 1");
$t->register('first', "input.a == 1 && request.path == '/first'"
    . " && request.method == 'POST' && request.args.a == '1'"
    . " && request.query == 'a=1'");
$t->register('second', "input.a == 1 && request.path == '/second'"
    . " && request.method == 'GET' && request.args.a == '2'");
$t->register('own', "input.a == 1 && request.headers['x-role'] == 'user'");


# denials(SENTENCE, COUNT, QR): lines in the log so far

sub denials {
    my ($sentence, $count, $pattern) = @_;

    my $lines = 0;

    wait_until {
        $lines = () = $t->error_log() =~ /$pattern/g;
        return $lines >= $count;
    } 5;

    is($lines, $count, $sentence);
}

my $no = qr/\[notice\] .*denied "no" \(shadow\), outcome "HOLD"/;

# the first request may find it still to be loaded

$t->get('/no');
wait_until { $t->error_log() =~ $no };
my $before = () = $t->error_log() =~ /$no/g;

my $r = $t->get('/no');
is($r->status, 200, 'a denial in shadow mode passes');
is($r->header('x-mode'), 'shadow', 'the variables know the mode');
is($r->header('x-effect'), 'deny', 'and what it would have been');
denials('and it is logged', $before + 1, $no);

is($t->get('/both')->status, 200, 'the enforced one beside it decides');
denials('and the shadow is logged', $before + 2, $no);

is($t->get('/path/a%2fb')->status, 200, 'an ambiguous path passes, too');

$b->clear();
$t->get('/headers', headers => { 'X-Role' => 'user' });
is_deeply([ $b->header($b->last, 'X-Role') ], [ 'user' ],
    'no header is replaced');

is($t->get('/unknown')->status, 200, 'what is not registered passes');
denials('and is logged', 1, qr/\[error\] .*"unknown" \(shadow\) by error/);

# bodies

my $body = qr/denied "body" \(shadow\), outcome/;

is($t->post('/body', '{"a":2}')->status, 200, 'a body passes');
is($b->last->{body}, '{"a":2}', 'and arrives');
denials('it is judged when it has been read for the service', 1, $body);

is($t->post('/body', '{"a":1}')->status, 200, 'another one');
is($t->post('/body', 'no JSON')->status, 200, 'a broken one passes');
denials('and is logged', 1, qr/"body" \(shadow\) by error BodyInvalid/);

is($t->post('/body', '{"a":3}' . ' ' x 100000)->status, 200,
    'a large one passes');
denials('and is judged', 2, $body);

is($t->get('/static/x.html')->status, 200,
    'where no body is read none is waited for');

# a redirect between the question and the answer

is($t->post('/first?a=1', '{"a":1}')->status, 200, 'a redirect');
like($b->last->{line}, qr{^GET /second\?a=2 }, 'of an answer');
is($t->post('/first?a=1', '{"a":5}')->status, 200, 'another one');
denials('each is judged of the request it was asked about', 1,
    qr/denied "first" \(shadow\), outcome/);
denials('and of its body', 1, qr/denied "second" \(shadow\), outcome/);

# a header that is given between the question and the answer

$b->clear();
is($t->post('/own', '{"a":1}', headers => { 'X-Role' => 'user' })->status,
    200, 'a header is given beside a shadow');
is_deeply([ $b->header($b->last, 'X-Role') ], [ 'root' ], 'to the service');
is($t->post('/own', '{"a":1}', headers => { 'X-Role' => 'else' })->status,
    200, 'and again');
is($t->post('/own', '{"a":1}', headers => { 'X-Role' => 'user' })->status,
    200, 'and once more');
denials('the shadow is judged of what the client has sent', 1,
    qr/denied "own" \(shadow\), outcome/);

# threads

is($t->get('/heavy')->status, 200, 'a heavy one passes');
denials('and is judged in a thread', $before + 3, $no);
is($t->post('/heavy_body', '{"a":4}')->status, 200, 'with a body');
denials('it is judged as well', 3, $body);

SKIP: {
    skip 'needs a build with fault directives', 3
        unless Test::Constraint::has_faults();

    $t->fault('task.delay_ms', 4000);
    my $start = time();

    is($t->get('/late')->status, 200, 'a slow thread');
    cmp_ok(time() - $start, '<', 3, 'delays nothing');
    $t->fault('task.delay_ms', 0);

    denials('it is judged when its time has passed', 1,
        qr/"no" \(shadow\) by error DeadlineExceeded/);
}

done_testing();
