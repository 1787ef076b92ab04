#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_zone:
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

my $dir = $c->testdir();

$c->good('zone', "constraint_zone z:8m path=$dir/a;");
$c->good('zone', "constraint_zone z:8m path=$dir/a map_size=2g revisions=7;");
$c->good('zone', "constraint_zone z:8m path=$dir/a revisions=0;");
$c->good('zone', "constraint_zone z:8m path=$dir/a;"
    . "constraint_zone y:8m path=$dir/b;");

ok(!-e "$dir/a/data.mdb", 'a test of the configuration makes no store');

$c->bad('server', "constraint_zone y:8m path=$dir/b;", qr/not allowed here/);
$c->bad('zone', 'constraint_zone;', qr/invalid number of arguments/);
$c->bad('zone', 'constraint_zone z:8m;', qr/must have a "path".*path=FOLDER/);
$c->bad('zone', 'constraint_zone z:8m revisions=1;', qr/must have a "path"/);
$c->bad('zone', "constraint_zone z path=$dir/a;", qr/NAME:SIZE/);
$c->bad('zone', "constraint_zone :8m path=$dir/a;", qr/NAME:SIZE/);
$c->bad('zone', "constraint_zone z:x path=$dir/a;",
    qr/invalid zone size "z:x", it must be .* as in "z:64m"/);
$c->bad('zone', "constraint_zone z:8k path=$dir/a;", qr/too small/);
$c->bad('zone', "constraint_zone z:8m path=;", qr/invalid parameter/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a path=$dir/a;",
    qr/duplicate parameter/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a map_size=1k;",
    qr/at least 1m/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a map_size=1h;",
    qr/at least 1m, a number with k, m or g/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a revisions=-1;",
    qr/invalid parameter/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a size=1;",
    qr/invalid parameter "size=1".*map_size=SIZE or revisions=NUMBER/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a;"
    . "constraint_zone z:8m path=$dir/b;", qr/"z"/);
$c->bad('zone', "constraint_zone z:8m path=$dir/a;"
    . "constraint_zone y:8m path=$dir/a;", qr/\Q$dir\E/);

# one folder by two names, there or made just now

mkdir("$dir/old");
symlink("$dir/old", "$dir/link");

for my $two (['old', './old/'], ['old', 'link'], ['new', './new'],
    ['new', './/new//'], ['new', 'old/../new'])
{
    rmdir("$dir/new");
    $c->bad('zone', "constraint_zone z:8m path=$dir/$two->[0];"
        . "constraint_zone y:8m path=$dir/$two->[1];",
        qr/is the path of constraint zone "[yz]"/);
}

done_testing();
