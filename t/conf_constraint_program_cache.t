#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_program_cache:
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

$c->good('http', 'constraint_program_cache 64k;');

$c->bad('main', 'constraint_program_cache 1k;', qr/not allowed here/);
$c->bad('http', 'constraint_program_cache big;', qr/invalid value/);
$c->bad('http', 'constraint_program_cache -1;', qr/invalid value/);
$c->bad('http', 'constraint_program_cache;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_program_cache 1k; constraint_program_cache 1k;',
    qr/is duplicate/);

$c->bad('server', 'constraint_program_cache 1m;', qr/not allowed here/);

my $t = Test::Constraint::Gate->start(<<'END',
location / { constraint $arg_type; proxy_pass http://backend; }
END
    http => 'constraint_program_cache 4k;');

$t->register("x$_", "request.args.type == 'x$_'") for 1 .. 20;

for (1 .. 2) {
    is(scalar(grep { $t->get("/?type=x$_")->status != 200 } 1 .. 20), 0,
        'more programs than it holds are compiled when they are needed');
}

done_testing();
