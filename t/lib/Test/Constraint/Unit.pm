package Test::Constraint::Unit;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs C unit tests: each is a TAP program, and each of its checks becomes one
# of the calling file's.  Under the asan suite they are the programs built with
# ASan and UBSan, under clang those built by clang.  It plans nothing: the
# caller ends with done_testing().

use warnings;
use strict;

use Test::More;
use Test::Constraint;

use Exporter qw(import);
our @EXPORT_OK = qw(run_units);


# run_units(FOLDER...): the programs of t/FOLDER/test_*.c

sub run_units {
    my @folders = @_;

    my $root = root_dir();
    my $build = Test::Constraint::build_dir();
    my %modes = (asan => 'unit-asan', clang => 'unit-clang');
    my $mode = $modes{$ENV{TEST_SUITE} // ''} // 'unit';

    local $ENV{ASAN_OPTIONS} =
        'detect_leaks=1:detect_stack_use_after_return=1';
    local $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

    my $out = `BUILD='$build' '$root/t/build.sh' $mode 2>&1`;

    if ($? != 0) {
        diag($out);
        return fail("the unit tests are built ($mode)");
    }

    for my $folder (@folders) {
        my @sources = sort(glob("$root/t/$folder/test_*.c"));

        ok(scalar(@sources), "there are unit tests in t/$folder");

        for my $source (@sources) {
            my ($name) = $source =~ m{([^/]+/[^/]+)\.c$};
            run_program($name, "cd '$root' && '$build/$mode/t/$name' 2>&1");
        }
    }

    return;
}


sub run_program {
    my ($name, $command) = @_;

    open(my $pipe, '-|', $command) or return fail("$name: runs");

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

    return;
}


1;
