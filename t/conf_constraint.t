#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint:
# what is accepted, what is refused, what is inherited.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;
use Test::Constraint::Gate;

my $c = Test::Constraint::Conf->new();

for my $where (qw(http server location)) {
    $c->good($where, 'constraint x;');
}

$c->good('server', 'constraint $arg_x;');
$c->good('server', 'constraint a-b_c.d:1 zone=z subject=$remote_user '
    . 'subject_trusted=off mode=enforce;');
$c->good('server', 'constraint x mode=shadow; constraint y;');
$c->good('location', 'constraint off;');

$c->bad('main', 'constraint x;', qr/not allowed here/);
$c->bad('server', 'constraint;', qr/invalid number of arguments/);
$c->bad('server', 'constraint a/b;', qr/invalid message type "a\/b"/);
$c->bad('server', 'constraint execute;', qr/none of execute, metadata/);
$c->bad('server', 'constraint ..;', qr/invalid message type "\.\."/);
$c->bad('server', 'constraint ' . 'x' x 256 . ';', qr/1 to 255/);
$c->bad('server', 'constraint x speed=high;',
    qr/invalid parameter "speed=high"/);
$c->bad('server', 'constraint x mode=dry;',
    qr/invalid parameter "mode=dry".*mode=enforce\|shadow in /);
$c->bad('server', 'constraint x mode=enforce mode=shadow;',
    qr/duplicate parameter "mode=shadow"/);
$c->bad('server', 'constraint x subject_trusted=off subject_trusted=on;',
    qr/duplicate parameter "subject_trusted=on"/);
$c->bad('server', 'constraint x zone=;', qr/invalid parameter "zone="/);
$c->bad('server', 'constraint x zone=z zone=z;', qr/duplicate parameter/);
$c->bad('server', 'constraint x subject=;', qr/invalid parameter "subject="/);
$c->bad('server', 'constraint x subject=a subject=b;',
    qr/duplicate parameter/);
$c->bad('server', 'constraint x subject=$nothing_like_it;',
    qr/unknown "nothing_like_it" variable/);
$c->bad('server', 'constraint off; constraint x;', qr/beside "constraint off"/);
$c->bad('server', 'constraint x; constraint off;', qr/beside others/);
$c->bad('server', 'constraint off mode=shadow;', qr/no parameters/);
$c->bad('server', 'constraint x zone=other;',
    qr/unknown zone "other" .*nginx\.conf:\d+/);
$c->bad('zone', 'server { constraint x; }', qr/there are 0 zones/);
$c->bad('http', 'constraint_zone y:8m path=%%TESTDIR%%/y; constraint x;',
    qr/needs zone=NAME, there are 2 zones/);

# who chooses the subject

for my $name (qw(http_x arg_x cookie_x)) {
    $c->good('server', "constraint x subject=\$$name;");
    like($c->said, qr/\[warn\] .*client chooses the subject "\$$name"/,
        "a subject from \$$name warns");
    $c->good('server', "constraint x subject=pre\${$name};");
    like($c->said, qr/\[warn\] .*client chooses/, 'in braces, too');
    $c->good('server', "constraint x subject=\$$name subject_trusted=on;");
    unlike($c->said, qr/\[warn\]/, 'but not when it is trusted');
}

$c->good('server', 'constraint x subject=$remote_user;');
unlike($c->said, qr/\[warn\]/, 'nor from $remote_user');

# what answers before

for my $line ('return 200 hello;', 'return http://x/;',
    'rewrite ^ /x permanent;', 'rewrite ^ http://x/;',
    'if ($arg_a) { return 200; }')
{
    $c->good('location', "constraint x; $line");
    like($c->said, qr/\[warn\] .*"(return|rewrite)" in location .*conf:\d+/,
        "$line warns");
}

for my $line ('return 403;', 'return 444;', 'rewrite ^ /x break;',
    'if ($arg_a) { return 405; }')
{
    $c->good('location', "constraint x; $line");
    unlike($c->said, qr/\[warn\]/, "$line does not");
}

$c->good('server', 'constraint x; return 200;');
like($c->said, qr/\[warn\] .*"return" in server/, 'in a server, too');

# inheritance

my $t = Test::Constraint::Gate->start(<<'END', http =>
location / { proxy_pass http://backend; }
location /own { constraint yes; proxy_pass http://backend; }
location /off { constraint off; proxy_pass http://backend; }
location /off/deep { proxy_pass http://backend; }
END
    'constraint no;');

$t->register('no', 'false');
$t->register('yes', 'true');

is($t->get('/')->status, 403, 'it is inherited');
is($t->get('/own')->status, 200, 'another one replaces it');
is($t->get('/off')->status, 200, 'off ends it');
is(($t->api('GET', '/constraint/no'))[0], 200,
    'an API does not inherit it');

done_testing();
