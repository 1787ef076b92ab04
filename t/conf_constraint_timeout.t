#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_timeout:
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
    $c->good($where, 'constraint_timeout 1s;');
}

$c->good('server', 'constraint_timeout 50ms;');

$c->bad('server', 'constraint_timeout 0;',
    qr/"constraint_timeout" directive must be more than 0/);
$c->bad('main', 'constraint_timeout 1s;', qr/not allowed here/);
$c->bad('server', 'constraint_timeout soon;', qr/invalid value/);
$c->bad('server', 'constraint_timeout;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_timeout 1s; constraint_timeout 1s;',
    qr/is duplicate/);

SKIP: {
    skip 'needs a build with fault directives', 2
        unless Test::Constraint::has_faults();

    my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_timeout 5s;
    proxy_pass http://backend;
}
END
        'constraint_timeout 20ms; constraint_offload always;');

    $t->register('x', 'true');
    $t->get('/own');
    $t->fault('task.delay_ms', 200);

    is($t->get('/')->json->{code}, 'DeadlineExceeded', 'it is inherited');
    is($t->get('/own')->status, 200, 'and set anew');
}

done_testing();
