#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: configures and compiles
#
# The build itself: what configure says when something is missing, the module
# as shipped, and both ways to add it in nginx's source tree (the suite runs
# on --add-module).

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $root = root_dir();
my $build = Test::Constraint::build_dir();
my $t = Test::Constraint->new();
my $dir = $t->testdir();

my $source = `BUILD='$build' '$root/t/build.sh' source 2>&1`;
is($?, 0, "nginx's source is here") or BAIL_OUT($source);
$source = "$build/src/nginx";

# a mirror that tells of a version and does not have it

my ($dsc) = glob("'$build'/src/nginx_*.dsc");

SKIP: {
    skip('the source came without its package', 4) unless $dsc;

    $t->write_file('mirror/apt-get', <<'END');
#!/bin/sh
for last; do :; done
echo "$last" >> "$ASKED"
case "$last" in
    update)     exit 0 ;;
    nginx=1.0)  cp "$HAS"/nginx_* . ;;
    *)          touch nginx_0.dsc; exit 100 ;;
esac
END
    $t->write_file('mirror/apt-cache',
        "#!/bin/sh\nprintf 'Version: 1.0\\nVersion: 2.0\\n'\n");
    $t->write_file('mirror/dpkg-query', "#!/bin/sh\necho 3.0\n");
    chmod(0755, glob("$dir/mirror/*"));

    local @ENV{qw(PATH ASKED HAS BUILD)} = ("$dir/mirror:$ENV{PATH}",
        "$dir/asked", "$build/src", "$dir/mirrored");

    my $out = `'$root/t/build.sh' source 2>&1`;
    is($?, 0, 'another version does') or diag($out);
    is($t->read_file('asked'), "update\nnginx=3.0\nnginx\nnginx=2.0\n"
        . "nginx=1.0\n", 'the installed one first, then the newest ones');
    ok(-f "$dir/mirrored/src/nginx/configure", 'it is unpacked');

    unlink("$dir/mirror/apt-cache");
    $t->write_file('mirror/apt-cache', "#!/bin/sh\nexit 100\n");
    chmod(0755, "$dir/mirror/apt-cache");
    system("rm -rf '$dir/mirrored'");
    $out = `'$root/t/build.sh' source 2>&1`;
    like($out, qr/^build.sh: apt-get source nginx failed, all of it is in /m,
        'none at all is told');
}

# a copy, as configure writes into the tree

system("cp -r '$source' '$dir/nginx'");

sub configure {
    my (@args) = @_;

    my $out = `cd '$dir/nginx' && ./configure @args 2>&1`;
    return ($? >> 8, $out);
}

my ($status, $out) = configure("--add-module='$root'");
isnt($status, 0, 'configure without threads fails');
like($out, qr/^.*configure nginx with --with-threads$/m, 'and says why');

($status, $out) = configure('--with-threads', '--without-http',
    "--add-module='$root'");
isnt($status, 0, 'configure without the http server fails');
like($out, qr/^.*needs the http server, remove --without-http$/m,
    'and says why');

# headers that cannot be compiled stand for headers that are not there

my %packages = ('jansson.h' => 'libjansson-dev', 'lmdb.h' => 'liblmdb-dev',
    'yaml.h' => 'libyaml-dev', 're2/re2.h' => 'libre2-dev',
    'simdjson.h' => 'libsimdjson-dev');

for my $header (sort keys %packages) {
    $t->write_file("fake/$header", "#error not here\n");
}

my $threads = '--with-threads';

($status, $out) = configure($threads, "--with-cc-opt='-I $dir/fake'",
    "--add-dynamic-module='$root'");
isnt($status, 0, 'configure without libraries fails');
my $all = 'libjansson-dev liblmdb-dev libyaml-dev libre2-dev libsimdjson-dev';
like($out, qr/^    apt-get install $all$/m, 'and names all packages at once')
    or diag($out);

system("rm -rf '$dir/fake'");
$t->write_file('fake/lmdb.h', "#error not here\n");

($status, $out) = configure($threads, "--with-cc-opt='-I $dir/fake'",
    "--add-module='$root'");
isnt($status, 0, 'configure without one library fails');
like($out, qr/^    apt-get install liblmdb-dev$/m, 'and names that one');

# both ways in a source tree

($status, $out) = configure($threads, "--add-module='$root'");
is($status, 0, 'configure --add-module') or diag($out);

$out = `BUILD='$build' '$root/t/build.sh' dynamic 2>&1`;
is($?, 0, 'a module is built by --add-dynamic-module') or diag($out);
ok(-f "$build/dynamic/ngx_http_constraint_module.so", 'and is there');

# as shipped

my $shipped = "$build/ngx_http_constraint_module.so";

$out = `BUILD='$build' '$root/t/build.sh' module 2>&1`;
is($?, 0, "the module is built for the distribution's nginx") or diag($out);
ok(-f $shipped, 'and is there');
ok(-x "$build/constraintctl", 'so is constraintctl');
is(index(slurp($shipped), "\0constraint_fault\0"), -1,
    'it knows no fault directive');
cmp_ok(index(slurp("$build/dynamic/ngx_http_constraint_module.so"),
    "\0constraint_fault\0"), '>', 0, 'a test build does');

# what a short decision runs lies side by side: not all over the module
# (docs/adr/049-link-time.md)

my %at = map { /^([0-9a-f]+) t (\w+)(?:\.lto_priv\.\d+)?$/ ? ($2 => hex($1))
    : () } `nm '$shipped'`;
my @short = sort { $a <=> $b } grep { defined } @at{qw(
    ngx_http_constraint_gate ngx_http_constraint_judge
    ngx_http_constraint_headers_get ngx_http_constraint_briefly
    ngx_constraint_catalogue_sync cel_eval cel_arena_alloc cel_map_get)};

cmp_ok(scalar(@short), '>=', 5, 'functions of the short way have names');
cmp_ok($short[-1] - $short[0], '<', 48 * 1024, 'and lie side by side');

$t->write_file('nginx.conf', "load_module $shipped;\npid $dir/nginx.pid;\n"
    . "events { }\n");
$out = `/usr/sbin/nginx -t -p '$dir/' -e x.log -c nginx.conf 2>&1`;
is($?, 0, "the distribution's nginx loads it") or diag($out);

$out = `BUILD='$build' '$root/t/build.sh' nonsense 2>&1`;
isnt($?, 0, 'an unknown mode is refused');
like($out, qr/unknown mode "nonsense"/, 'by its name');
