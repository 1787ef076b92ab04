#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_path:
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
    $c->good($where, 'constraint_path strict;');
}

$c->good('server', 'constraint_path off;');

$c->bad('main', 'constraint_path strict;', qr/not allowed here/);
$c->bad('server', 'constraint_path maybe;',
    qr/invalid value "maybe" of ".*, it must be strict or off in /);
$c->bad('server', 'constraint_path;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_path strict; constraint_path strict;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_path strict;
    proxy_pass http://backend;
}
END
    'constraint_path off;');

$t->register('x', 'true');

is($t->get('/a%2fb')->status, 200, 'it is inherited');
is($t->get('/own/a%2fb')->status, 400, 'and set anew');

done_testing();
