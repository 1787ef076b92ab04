#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the C unit tests, t/unit/<room>/test_*.c: each is a TAP program, and
# each of its checks is one here.  Under the asan suite they are the programs
# built with ASan and UBSan, under clang those built by clang.

use warnings;
use strict;

use FindBin;
use Test::More;

my $root = "$FindBin::RealBin/..";
my $build = $ENV{BUILD} || "$root/build";
my %modes = (asan => 'unit-asan', clang => 'unit-clang');
my $mode = $modes{$ENV{TEST_SUITE} // ''} // 'unit';

$ENV{ASAN_OPTIONS} = 'detect_leaks=1:detect_stack_use_after_return=1';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

my $out = `BUILD='$build' '$root/t/build.sh' $mode 2>&1`;

if ($? != 0) {
    diag($out);
    fail("the unit tests are built ($mode)");
    done_testing();
    exit(1);
}

my @sources = sort(glob("$root/t/unit/*/test_*.c"));

ok(scalar(@sources), 'there are unit tests');

run_program($_) for @sources;

done_testing();


sub run_program {
    my ($source) = @_;

    my ($name) = $source =~ m{/unit/(.+)\.c$};

    open(my $pipe, '-|', "cd '$root' && '$build/$mode/t/$name' 2>&1")
        or return fail("$name: runs");

    my ($count, $plan, @noise) = (0);

    while (my $line = <$pipe>) {
        if ($line =~ /^(not )?ok\b\s*\d*\s*-?\s*(.*?)\s*$/) {
            my ($failed, $text) = ($1, $2);
            $count++;

            if ($text =~ /^(.*?)#\s*SKIP\s*(.*)$/i) {
                my $reason = $2;
                SKIP: { skip("$name: $reason", 1); }
                next;
            }

            ok(!$failed, "$name: $text");

        } elsif ($line =~ /^1\.\.(\d+)/) {
            $plan = $1;

        } else {
            chomp($line);
            push @noise, $line;
            diag($line) if $line =~ /^#/;
        }
    }

    close($pipe);
    my $status = $?;

    ok(defined $plan && $plan == $count, "$name: all checks were made")
        or diag(join("\n", @noise));
    is($status, 0, "$name: ends well") or diag(join("\n", @noise));
    unlike(join("\n", @noise), qr/Sanitizer|runtime error/,
        "$name: no sanitizer has spoken");
}
