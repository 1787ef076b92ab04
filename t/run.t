#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: starts no nginx
#
# run.sh, matrix.sh and prove's output as set up by them: what they refuse, and
# that neither a skip nor a failure is lost on the way to the summary.

use warnings;
use strict;

use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $here = $FindBin::RealBin;
my $root = "$here/..";

sub run {
    my ($command) = @_;
    my $out = `cd '$root' && $command 2>&1`;
    return ($? >> 8, $out);
}

for my $script (qw(run.sh matrix.sh build.sh)) {
    my ($status, $out) = run("t/$script --help");
    is($status, 0, "$script --help ends well");
    like($out, qr/^usage: t\/\Q$script\E/, 'and tells the usage');
}

my ($status, $out) = run('t/run.sh --nonsense');
is($status, 2, 'run.sh refuses an unknown option');
like($out, qr/^run\.sh: unknown option "--nonsense"\n/, 'by its name');

($status, $out) = run('t/run.sh no-such-test');
is($status, 2, 'run.sh refuses a pattern that matches nothing');
is($out, "run.sh: no test matches: no-such-test\n", 'with one line');

for my $pattern (qw(gate/bypass.t t/gate/bypass.t bypass.t)) {
    ($status, $out) = run("t/run.sh --list $pattern");
    is($out, "asan/gate/bypass.t\nplain/gate/bypass.t\n",
        "run.sh finds what $pattern names");
}

($status, $out) = run('t/run.sh --list --plain gate/bypass');
is($out, "plain/gate/bypass.t\nplain/gate/bypass_wire.t\n",
    'and all that a part of a name is in');

($status, $out) = run('t/run.sh --list --again --plain');
unlike($out, qr{^plain/run\.t$}m, '--again leaves out what says the same');
like($out, qr{^plain/stats\.t$}m, 'and nothing else');

($status, $out) = run('t/run.sh -j x');
is($status, 2, 'run.sh refuses a wrong -j');

($status, $out) = run('t/matrix.sh nonsense');
is($status, 2, 'matrix.sh refuses an unknown part');

($status, $out) = run('t/deps.sh nonsense');
is($status, 2, 'deps.sh refuses an unknown set');

# a pass, skips and a failure, through our formatter

my $dir = tempdir(CLEANUP => 1);

write_file('pass.t', 'print "ok 1\n1..1\n";');
write_file('some.t', 'print "ok 1\nok 2 # SKIP why\n1..2\n";');
write_file('named.t', 'print "ok 1 - a name # SKIP not here\n'
    . 'ok 2 # SKIP the same\nok 3 # SKIP the same\nok 4\n'
    . 'ok 5 # SKIP the same\nok 6 # skip\n1..6\n";');
write_file('none.t', 'print "1..0 # SKIP no reason\n";');
write_file('fail.t', 'print "not ok 1\n1..1\n";');

my $prove = "prove -j 2 --formatter Test::Constraint::Formatter";

$ENV{PERL5LIB} = "$here/lib";

($status, $out) = run("$prove '$dir/pass.t' '$dir/some.t' '$dir/none.t'");
is($status, 0, 'skips are no failure');
like($out, qr/^Skipped: 1 whole files, 1 tests$/m, 'but counted');
like($out, qr/^  \S+some\.t: tests 2$/m, 'and listed');
like($out, qr/^  \S+some\.t: tests 2\n    2: why$/m, 'each with its reason');
like($out, qr/^  \S+none\.t: no reason$/m, 'as is a whole file');
like($out, qr/^Skipped:.*^Files=3, Tests=3,.*^Result: PASS$/ms,
    'before the summary, which is last');

($status, $out) = run("$prove '$dir/named.t' '$dir/some.t'");
like($out, qr/^Skipped: 0 whole files, 6 tests$/m, 'all skips are counted');
like($out, qr/^\ \ \S+named\.t:\ tests\ 1\ 2\ 3\ 5\ 6\n
    \ {4}1:\ a\ name:\ not\ here\n
    \ {4}2-3:\ the\ same\n
    \ {4}5:\ the\ same\n
    \ {4}6:\ no\ reason\ given$/mx,
    'by name and reason, runs of the same in one line');
like($out, qr/^  \S+some\.t: tests 2\n    2: why$/m,
    'the other file as well, whichever ended first');

($status, $out) = run("$prove '$dir/pass.t' '$dir/fail.t'");
isnt($status, 0, 'a failure is a failure');
like($out, qr/^Result: FAIL$/m, 'and said');

done_testing();


sub write_file {
    my ($name, $code) = @_;

    open(my $fh, '>', "$dir/$name") or die "$name: $!\n";
    print $fh $code;
    close($fh);
}
