#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_max_pending:
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
    $c->good($where, 'constraint_max_pending 100;');
}

$c->bad('main', 'constraint_max_pending 1;', qr/not allowed here/);
$c->bad('http', 'constraint_max_pending 0;', qr/must be/);
$c->bad('http', 'constraint_max_pending much;', qr/invalid number/);
$c->bad('http', 'constraint_max_pending;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_max_pending 1; constraint_max_pending 1;',
    qr/is duplicate/);

$c->bad('http', 'constraint_max_pending 65537;', qr/must be/);

SKIP: {
    skip 'needs a build with fault directives', 2
        unless Test::Constraint::has_faults();

    my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_max_pending 50;
    proxy_pass http://backend;
}
END
        'constraint_max_pending 1; constraint_offload always; '
        . 'constraint_timeout 5s;');

    $t->register('x', 'true');
    $t->get('/own');
    $t->fault('task.delay_ms', 300);

    for my $case ([ '/', 'some are refused' ], [ '/own', 'none is' ]) {
        my @clients = map { $t->connect() } 1 .. 4;
        $_->send('GET', $case->[0]) for @clients;

        my $full = grep { $_->status == 403 }
            map { $_->read_response() } @clients;

        is($full > 0, $case->[0] eq '/', "$case->[0]: $case->[1]");
    }
}

done_testing();
