#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: it runs constraintctl alone
# deps: conformance
#
# A short run of generated expressions against another implementation.  The
# long one: t/matrix.sh differential.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $root = root_dir();
my $count = $ENV{DIFFERENTIAL_COUNT} // 1500;
my $seed = $ENV{DIFFERENTIAL_SEED} // 3;

my $out = `'$root/t/fuzz/differential' $count $seed 2>&1`;
my $rc = $? >> 8;

SKIP: {
    if ($rc == 77) {
        diag($out);
        skip('npm cannot reach @bufbuild/cel', 4);
    }

    is($rc, 0, 'no difference is without an explanation');
    diag($out) if $rc != 0;

    my ($values, $errors, $explained) = $out =~
        /(\d+) values and (\d+) errors the same, (\d+) explained, 0 not$/m;

    cmp_ok($values // 0, '>', $count / 2, 'most have a value');
    cmp_ok($errors // 0, '>', $count / 50, 'some an error');
    cmp_ok($explained // $count, '<', $count / 20, 'few have to be explained');
    note($out);
}

is(system("'$root/t/fuzz/differential' x >/dev/null 2>&1") >> 8, 2,
    'a count is needed');

done_testing();
