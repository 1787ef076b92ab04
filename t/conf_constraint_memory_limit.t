#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_memory_limit:
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
    $c->good($where, 'constraint_memory_limit 64k;');
}

$c->bad('server', 'constraint_memory_limit 0;',
    qr/"constraint_memory_limit" directive must be more than 0/);
$c->bad('main', 'constraint_memory_limit 1k;', qr/not allowed here/);
$c->bad('http', 'constraint_memory_limit big;', qr/invalid value/);
$c->bad('http', 'constraint_memory_limit -1;', qr/invalid value/);
$c->bad('http', 'constraint_memory_limit;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_memory_limit 1k; constraint_memory_limit 1k;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_memory_limit 1m;
    proxy_pass http://backend;
}
END
    'constraint_memory_limit 1k;');

$t->register('x', "(request.headers['x-a'] + 'x').size() > 0");

my %large = (headers => { 'X-A' => 'x' x 4000 });

is($t->get('/', %large)->json->{code}, 'MemoryExceeded', 'it is inherited');
is($t->get('/own', %large)->status, 200, 'and set anew');

done_testing();
