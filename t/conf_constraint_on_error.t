#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_on_error:
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
    $c->good($where, 'constraint_on_error deny;');
}

$c->good('server', 'constraint_on_error allow;');

$c->bad('main', 'constraint_on_error deny;', qr/not allowed here/);
$c->bad('server', 'constraint_on_error maybe;',
    qr/invalid value "maybe" of ".*, it must be deny or allow in /);
$c->bad('server', 'constraint_on_error;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_on_error deny; constraint_on_error deny;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_on_error deny;
    proxy_pass http://backend;
}
END
    'constraint_on_error allow;');

is($t->get('/')->status, 200, 'it is inherited');
is($t->get('/own')->status, 403, 'and set anew');

done_testing();
