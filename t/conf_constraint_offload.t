#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_offload:
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
    $c->good($where, 'constraint_offload auto;');
}

$c->good('server', 'constraint_offload always;');
$c->good('server', 'constraint_offload off;');

$c->bad('main', 'constraint_offload auto;', qr/not allowed here/);
$c->bad('server', 'constraint_offload maybe;',
    qr/invalid value "maybe" of ".*, it must be auto, always or off in /);
$c->bad('server', 'constraint_offload;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_offload auto; constraint_offload auto;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_offload off;
    proxy_pass http://backend;
}
END
    'constraint_offload always; constraint_deny_detail full;');

$t->register('x', "request.method == 'PUT'");

is($t->get('/')->json->{decision}{where}, 'thread', 'it is inherited');
is($t->get('/own')->json->{decision}{where}, 'inline', 'and set anew');

done_testing();
