#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: it has builds of its own
#
# The benchmarks are built from the module's sources, but measure nothing
# here: that none of them was left behind by what it measures.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $bench = root_dir() . '/t/bench';

for my $program (qw(cel budget)) {
    my $out = `'$bench/$program' --build-only 2>&1`;
    is($?, 0, "$program is built") or diag($out);
    unlike($out, qr/\d ns|\|/, "$program measures nothing");
}

for my $program (qw(run gate-callgrind)) {
    my $out = `'$^X' -c '$bench/$program' 2>&1`;
    is($?, 0, "$program can be read") or diag($out);
}

my $out = `'$bench/run' --help`;
is($?, 0, 'run tells how it is used');
like($out, qr/^  --rounds N /m, 'option by option');

done_testing();
