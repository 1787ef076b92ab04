#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_audit_log: what is accepted, what is refused, what
# is inherited.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;
use Test::Constraint::Gate;

my $c = Test::Constraint::Conf->new();
my $d = 'constraint_audit_log %%TESTDIR%%/a.log';

for my $where (qw(http server location)) {
    $c->good($where, "$d;");
    $c->good($where, "$d buffer=16k flush=10ms allow=0.25;");
    $c->good($where, 'constraint_audit_log off;');
    $c->bad($where, "$d; $d;", qr/is duplicate/);
    $c->bad($where, "constraint_audit_log off; $d;", qr/is duplicate/)
        if $where eq 'location';
}

$c->good('http', "$d allow=0; server { listen 127.0.0.1:%%PORT_1%%;"
    . " $d allow=1; }");
$c->good('http', "$d buffer=64k flush=1s; server { listen"
    . " 127.0.0.1:%%PORT_1%%; $d; }");

$c->bad('main', "$d;", qr/not allowed here/);
$c->bad('http', 'constraint_audit_log;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_audit_log "";', qr/has an empty path/);
$c->bad('http', 'constraint_audit_log off allow=1;', qr/takes no parameters/);
$c->bad('http', 'constraint_audit_log /tmp/$host.log;',
    qr/a path without variables/);
$c->bad('http', 'constraint_audit_log syslog:server=x;', qr/not syslog/);
$c->bad('http', 'constraint_audit_log %%TESTDIR%%/none/a.log;',
    qr/open\(\) ".*none\/a\.log" failed/);

for my $case (
    [ 'buffer=', qr/it must be a size from 16k to 64m/ ],
    [ 'buffer=1k', qr/"buffer=1k".* a size from 16k to 64m/ ],
    [ 'buffer=65m', qr/a size from 16k to 64m/ ],
    [ 'buffer=x', qr/a size from 16k to 64m/ ],
    [ 'flush=0', qr/a time from 1ms to 1h/ ],
    [ 'flush=2h', qr/a time from 1ms to 1h/ ],
    [ 'flush=soon', qr/a time from 1ms to 1h/ ],
    [ 'allow=', qr/a number from 0 to 1/ ],
    [ 'allow=1.01', qr/a number from 0 to 1/ ],
    [ 'allow=-0.1', qr/a number from 0 to 1/ ],
    [ 'allow=nan', qr/a number from 0 to 1/ ],
    [ 'allow=0x1', qr/a number from 0 to 1/ ],
    [ 'allow=.', qr/a number from 0 to 1/ ],
    [ 'allow=0.1.1', qr/a number from 0 to 1/ ],
    [ 'deny=1', qr/unknown parameter "deny=1"/ ],
    [ 'allow', qr/unknown parameter "allow"/ ],
    [ 'allow=1 allow=1', qr/duplicate parameter "allow=1"/ ],
    [ 'buffer=16k buffer=16k', qr/duplicate parameter "buffer=16k"/ ],
    [ 'flush=1s flush=1s', qr/duplicate parameter "flush=1s"/ ])
{
    $c->bad('http', "$d $case->[0];", $case->[1]);
}

$c->bad('http', "$d; server { listen 127.0.0.1:%%PORT_1%%;"
    . " $d buffer=128k; }", qr/has another "buffer" or "flush" elsewhere/);
$c->bad('http', "access_log %%TESTDIR%%/a.log combined buffer=32k; $d;",
    qr/is the file of another log/);

# inheritance: three locations, three files or none

my $t = Test::Constraint::Gate->start(<<'END',
location / { constraint no; proxy_pass http://backend; }
location /own/ {
    constraint no;
    constraint_audit_log %%TESTDIR%%/own.log flush=10ms;
    proxy_pass http://backend;
}
location /off/ {
    constraint no;
    constraint_audit_log off;
    proxy_pass http://backend;
}
END
    http => 'constraint_audit_log %%TESTDIR%%/outer.log flush=10ms;');

$t->register('no', 'false');

is($t->get($_)->status, 403, "$_ is denied") for qw(/off/ /x /own/);

my $dir = $t->testdir;

ok((wait_until { -s "$dir/outer.log" && -s "$dir/own.log" } 10),
    'both files have something');
is(() = slurp("$dir/outer.log") =~ /\n/g, 1, 'one line in the inherited one');
is(() = slurp("$dir/own.log") =~ /\n/g, 1, 'one in the own, none for "off"');

done_testing();
