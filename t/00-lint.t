#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: reads sources only
#
# Runs the checks of t/lint/ over the tree, and over files that are wrong in
# one way each, so that every check is known to be able to fail.

use warnings;
use strict;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $root = "$FindBin::RealBin/..";

for my $check (qw(style includes)) {
    my $out = `$^X $root/t/lint/$check.pl $root 2>&1`;
    is($out, '', "$check: nothing to say about the tree");
    is($?, 0, "$check: ends well");
}


# wrong(CHECK, FILE, TEXT, QR): the check must say so, and only so

my $LICENCE = "/*\n * Copyright (C) ngx_http_constraint_module authors\n"
    . " * SPDX-License-Identifier: BSD-2-Clause\n */\n\n";
my $HASH = "# Copyright (C) ngx_http_constraint_module authors\n"
    . "# SPDX-License-Identifier: BSD-2-Clause\n";

sub said {
    my ($check, %files) = @_;

    my $dir = tempdir(CLEANUP => 1);

    for my $name (keys %files) {
        make_path(dirname("$dir/$name"));
        open(my $fh, '>:raw', "$dir/$name") or die "$name: $!\n";
        print $fh $files{$name};
        close($fh);
    }

    return scalar(`$^X $root/t/lint/$check.pl $dir 2>&1`);
}

sub wrong {
    my ($check, $what, $pattern, %files) = @_;

    my $out = said($check, %files);
    like($out, qr/^[\w.\/-]+:\d+: $pattern$/m, "$check: $what is seen");
    is(scalar(split(/\n/, $out)), 1, "$check: $what is all that is seen");
}

my $body = "static int\nf(void)\n{\n    return 0;\n}\n";
my $long = "static int\nlong_one(void)\n{\n" . "    f();\n" x 101 . "}\n";
my $just = "static int\nlong_one(void)\n{\n" . "    f();\n" x 100 . "}\n";

is(said('style', 'src/cel/cel_a.c' => "$LICENCE$body$just"
    . "/* http://x */\nchar *s = \"http://x\", c = '\"';\n"),
    '', 'style: a good file passes');

wrong('style', 'a missing licence', 'no licence header',
    'src/cel/cel_a.c' => $body);
wrong('style', 'a missing licence of a script', 'no licence header',
    't/a.sh' => "#!/bin/sh\ntrue\n");
wrong('style', 'a wide line', 'over 80 columns',
    'src/cel/cel_a.c' => $LICENCE . 'x' x 81 . "\n");
is(said('style', 'src/cel/cel_a.c' => $LICENCE . 'x' x 80 . "\n"), '',
    'style: 80 columns are not too wide');
wrong('style', 'a tab', 'a tab',
    'src/cel/cel_a.c' => "$LICENCE\tint x;\n");
wrong('style', 'a space at the end', 'a space at the end',
    'src/cel/cel_a.c' => $LICENCE . "int x; \n");
wrong('style', 'a // comment', 'a // comment',
    'src/cel/cel_a.c' => $LICENCE . "int x; // x\n");
wrong('style', 'a // comment after a string', 'a // comment',
    'src/cel/cel_a.c' => $LICENCE . "char *x = \"a\"; // \"\n");
wrong('style', 'a long function', 'long_one\(\) has 101 lines',
    'src/cel/cel_a.c' => $LICENCE . $long);
is(said('style', 'src/cel/cel_a.c' => $LICENCE . $long,
    't/lint/long-functions.txt' => "src/cel/cel_a.c:long_one a table\n"),
    '', 'style: a long function may be listed with its reason');
wrong('style', 'a stale list entry', 'src/cel/cel_a.c:f is not over 100',
    'src/cel/cel_a.c' => $LICENCE . $body,
    't/lint/long-functions.txt' => "src/cel/cel_a.c:f a table\n");
wrong('style', 'a long file', 'over 900 lines',
    'src/cel/cel_a.c' => $LICENCE . "int x;\n" x 900);
wrong('style', 'an unfinished word', 'a word that means unfinished',
    't/a.sh' => $HASH . '# TO' . "DO later\n");
wrong('style', 'a missing line feed', 'no line feed at the end',
    'src/cel/cel_a.c' => $LICENCE . 'int x;');

my %base = ('src/cel/cel.h' => '', 'src/cel/cel_ast.h' => '',
    'src/workflow/workflow.h' => '',
    'src/base/ngx_constraint_base.h' => '',
    'src/http/ngx_http_constraint.h' => '');

is(said('includes', %base, 'src/workflow/workflow_a.c' =>
    "#include <stdio.h>\n#include <jansson.h>\n#include <cel.h>\n"
    . "#include \"workflow.h\"\n/* MDB_x */\n"),
    '', 'includes: what is allowed passes');

wrong('includes', 'an include that points up',
    'cel may not include workflow \(workflow.h\)',
    %base, 'src/cel/cel_a.c' => "#include <workflow.h>\n");
wrong('includes', 'a quoted include that points up',
    'cel may not include workflow \(workflow.h\)',
    %base, 'src/cel/cel_a.c' => "#  include \"workflow.h\"\n");
wrong('includes', 'an include of a private header',
    'cel_ast.h is private to cel',
    %base, 'src/workflow/workflow_a.c' => "#include <cel_ast.h>\n");
wrong('includes', 'a library in the wrong room',
    'cel may not include jansson.h',
    %base, 'src/cel/cel_a.c' => "#include <jansson.h>\n");
wrong('includes', 'nginx in a library', 'workflow may not include ngx_core.h',
    %base, 'src/workflow/workflow_a.c' => "#include <ngx_core.h>\n");
wrong('includes', 'the http server below http',
    'base may not include ngx_http.h',
    %base, 'src/base/ngx_constraint_a.c' => "#include <ngx_http.h>\n");
wrong('includes', 'the module below http',
    'base may not include http \(ngx_http_constraint.h\)', %base,
    'src/base/ngx_constraint_a.c' => "#include <ngx_http_constraint.h>\n");
wrong('includes', 'LMDB outside the catalogue',
    'MDB_NOTLS is for catalogue only', %base,
    'src/base/ngx_constraint_a.c' => "int x = MDB_NOTLS;\n");
wrong('includes', 'LMDB calls outside the catalogue',
    'mdb_env_open is for catalogue only', %base,
    'src/api/ngx_http_constraint_a.c' => "mdb_env_open(x);\n");
wrong('includes', 'a task posted outside base',
    'ngx_thread_task_post is for base only', %base,
    'src/http/ngx_http_constraint_a.c' => "ngx_thread_task_post(a, b);\n");
wrong('includes', 'a request below http',
    'ngx_http_request_t is for http api only', %base,
    'src/enforcer/ngx_constraint_a.c' => "ngx_http_request_t  *r;\n");
wrong('includes', 'RE2 outside its shim', 'cel may not include re2/re2.h',
    %base, 'src/cel/cel_simdjson.cc' => "#include <re2/re2.h>\n");
wrong('includes', 'C++ outside the shims',
    'only the shims of cel are C\+\+', %base,
    'src/cel/cel_b.cc' => "int x;\n");
wrong('includes', 'a file that says nothing',
    '"cel_util.c" does not say what is in it',
    %base, 'src/cel/cel_util.c' => "int x;\n");
wrong('includes', 'a wrong prefix', 'its name must begin with "cel"',
    %base, 'src/cel/workflow_x.c' => "int x;\n");
wrong('includes', 'an unknown room', 'src/attic is no room of the house',
    %base, 'src/attic/a.c' => "int x;\n");
wrong('includes', 'a header that is not there',
    'no such header of ours: cel_none.h',
    %base, 'src/cel/cel_a.c' => "#include <cel_none.h>\n");

done_testing();
