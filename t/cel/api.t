#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: it compiles, and runs nothing that changes with the build
#
# cel.h for a stranger: the example of docs/CEL.md is short, compiles with the
# public header alone and says what the document says; the header stands by
# itself in C and C++; the library has no writable data, and calls nothing that
# allocates or depends on the process's state.  test_alloc.c counts as it runs.

use warnings;
use strict;

use File::Copy qw(copy);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $root = root_dir();
my $build = Test::Constraint::build_dir();
my $dir = tempdir(CLEANUP => 1);
my $cc = $ENV{CC} || 'gcc';
my $cxx = $ENV{CXX} || 'g++';
my $warn = '-Wall -Wextra -Werror';

my $out = `BUILD='$build' '$root/t/build.sh' unit 2>&1`;
is($?, 0, 'the library is built') or BAIL_OUT($out);

my $lib = "$build/unit/libcel.a";

mkdir("$dir/include");

for my $header (qw(cel.h cel_error.h cel_value.h)) {
    copy("$root/src/cel/$header", "$dir/include/$header")
        or die "$header: $!\n";
}



# --- the example ------------------------------------------------------------

my $document = slurp("$root/docs/CEL.md");
my ($section) = $document =~ /^## In a program of your own\n(.*?)(?=^## |\z)/ms;
my ($program) = ($section // '') =~ /^```c\n(.*?)^```/ms;
my ($command) = ($section // '') =~ /^```\n(cc .*?)^```/ms;
my ($says) = ($section // '') =~ /^It prints `(.*?)`/m;

ok(defined $program && defined $command && defined $says,
    'docs/CEL.md has a program, how it is compiled and what it prints')
    or BAIL_OUT('there is no example');

my $lines = () = $program =~ /\n/g;
cmp_ok($lines, '<', 40, 'it is short');

write_file("$dir/example.c", $program);

# the document's command with the folders of this build

$command =~ s/\s*\\\n\s*/ /g;
$command =~ s/\s+\z//;
is(scalar($command =~ s/\bsrc\/cel\b/$dir\/include/), 1,
    'the command names the folder of the header');
is(scalar($command =~ s/\bbuild\/unit\/libcel\.a\b/$lib/), 1,
    'and the library');
$command =~ s/^cc /$cc $warn /;

$out = `cd '$dir' && $command 2>&1`;
is($?, 0, 'it compiles without a warning') or diag("$command\n$out");

$out = `cd '$dir' && ./example 2>&1`;
is($?, 0, 'it runs');
is($out, "$says\n", 'and prints what is said there');

# it is an example of errors, too

(my $broken = $program) =~ s/startsWith/startWith/;
isnt($broken, $program, 'an expression can be broken');
write_file("$dir/example.c", $broken);
system("cd '$dir' && $command") == 0 or fail('it compiles, still');
$out = `cd '$dir' && ./example 2>&1`;
isnt($?, 0, 'a wrong expression ends the program');
like($out, qr/^ERROR: \w+:1:\d+: .*startWith.*\n \| .*\n \| \.*\^/,
    'with its place and a caret');


# --- the header -------------------------------------------------------------

write_file("$dir/one.c", "#include \"cel.h\"\n#include \"cel.h\"\n"
    . "cel_env_t  *env;\n");
copy("$dir/one.c", "$dir/one.cc") or die "one.cc: $!\n";

for my $how ("$cc -std=c11 -Wpedantic $warn", "$cc -std=gnu11 $warn",
    "$cxx -std=c++17 $warn -x c++")
{
    $out = `$how -I'$dir/include' -fsyntax-only '$dir/one.c' 2>&1`;
    is($?, 0, "cel.h alone: $how") or diag($out);
}


# --- state and memory -------------------------------------------------------

# writable(FILE): objects in sections that can be written to

sub writable {
    my ($file) = @_;

    my (@found, $object);

    for my $line (split(/\n/, `objdump -t '$file'`)) {
        $object = $1 if $line =~ /^(\S+\.o):/;

        next unless $line =~ /\s(\.t?(?:data|bss)(?:\.\S+)?|\*COM\*)\s
            +\S+\s+(?:\.hidden\s+)?(\S+)$/x;

        my ($section, $name) = ($1, $2);

        # constants with addresses in them, made read-only when loaded; the
        # compiler's pointer to the C++ runtime

        next if $section =~ /^\.data\.rel\.ro/ || $name =~ /^\./
            || $name eq 'DW.ref.__gxx_personality_v0';

        push @found, ($object // $file) . " $name";
    }

    return @found;
}

is_deeply([ writable($lib) ], [], 'the library has no writable data');

write_file("$dir/state.c", <<'END');
#include <stdio.h>
static int counter;
int common;
static _Thread_local int mine = 1;
static int (*const constant[])(const char *, ...) = { printf };
int f(void) {
    static int n = 1;
    constant[0]("");
    return counter++ + n++ + mine++;
}
END
system("$cc -fcommon -fPIC -c -o '$dir/state.o' '$dir/state.c'") == 0
    or fail('the control compiles');
is(scalar(writable("$dir/state.o")), 4, 'which would be found')
    or diag(join("\n", writable("$dir/state.o")));


# called(FILE): { object => [undefined names] } of what must not be called:
# memory, locale, environment, files but time zones, hidden state

sub called {
    my ($file) = @_;

    my (%found, $object);
    my $bad = qr/^(?:
        malloc | calloc | realloc | reallocarray | free | aligned_alloc
        | memalign | posix_memalign | strn?dup | v?asprintf | getdelim
        | getline | open_memstream | _Zn[wa].* | _Zd[la].*
        | f?open(?:64)? | fdopen | opendir | tmpfile | mmap(?:64)?
        | setlocale | newlocale | uselocale | localeconv | strto[dfl]d?
        | ato[fil]
        | getenv | setenv | putenv | environ | tzset | localtime | gmtime
        | ctime | asctime | strtok | strerror | rand | srand | random
        | qsort | printf | fprintf | puts | putchar | perror | syslog
        | abort | exit | signal
    )$/x;

    for my $line (split(/\n/, `nm -A -u '$file'`)) {
        my ($object, $name) = $line =~ /:?([\w.]+\.o):\s+U (\S+)$/ or next;

        $name =~ s/\@.*//;
        push @{ $found{$object} }, $name if $name =~ $bad;
    }

    return { map { $_ => join(' ', sort @{ $found{$_} }) } keys %found };
}

my $called = called($lib);
my $shim = qr/^(?:_Z[nd]\w+ ?)*$/;

# the named exceptions: RE2 and simdjson, and what holds a document

like(delete $called->{$_} // '', $shim, "$_ takes memory as C++ does")
    for qw(cel_re2.o cel_simdjson.o);
is(delete $called->{'cel_json_parse.o'}, 'free malloc',
    'a document has a heap of its own');
is(delete $called->{'cel_json_check.o'}, 'realloc', 'and so has its index');
is(delete $called->{'cel_arena.o'}, 'free malloc',
    'malloc() is an allocator that a host may choose');
is(delete $called->{'cel_zone.o'}, 'open', 'time zones are files');
is_deeply($called, {}, 'nothing else takes memory or knows the process');

write_file("$dir/calls.c", <<'END');
#include <locale.h>
#include <stdlib.h>
#include <string.h>
double f(const char *s) { setlocale(LC_ALL, ""); return strtod(strdup(s), 0); }
END
system("$cc -c -o '$dir/calls.o' '$dir/calls.c'") == 0
    or fail('the control compiles');
is_deeply([ values %{ called("$dir/calls.o") } ],
    [ 'setlocale strdup strtod' ], 'which would be found');

done_testing();


sub write_file {
    my ($name, $text) = @_;

    open(my $fh, '>', $name) or die "$name: $!\n";
    print $fh $text;
    close($fh);

    return;
}
