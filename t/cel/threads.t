#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: it has a build of its own
# deps: matrix
#
# Many threads evaluate one program under ThreadSanitizer, and it has nothing
# to say; when they share what is for one of them only, it has.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;
use Test::Constraint::Unit;

my $root = root_dir();
my $build = Test::Constraint::build_dir();
my $program = "$build/unit-tsan/t/cel/test_threads";

my $out = `BUILD='$build' '$root/t/build.sh' unit-tsan 2>&1`;

if (!is($?, 0, 'the library is built with ThreadSanitizer')) {
    diag($out);
    done_testing();
    exit(1);
}

# the sanitizer wants its shadow where kernels of today put other things

my $here = system('setarch -R true 2>/dev/null') == 0 ? 'setarch -R ' : '';

$ENV{TSAN_OPTIONS} = 'halt_on_error=1:exitcode=66:report_signal_unsafe=0';

Test::Constraint::Unit::run_program('cel/test_threads',
    "cd '$root' && $here'$program' 2>&1");

$out = `$here'$program' race 2>&1`;
is($? >> 8, 66, 'an evaluation shared by threads is a race');
like($out, qr/ThreadSanitizer: data race.*\bcel_eval_charge\b/s,
    'found inside the library');

done_testing();
