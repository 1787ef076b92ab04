#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: reads configuration only
#
# Every file of conf-examples/ is good: configurations by nginx -t with the
# module as shipped, workflows by constraintctl check.

use warnings;
use strict;

use File::Basename qw(basename);
use File::Path qw(make_path);
use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";

BEGIN {
    my $build = $ENV{BUILD} || "$FindBin::RealBin/../build";
    $ENV{TEST_NGINX_BINARY} = '/usr/sbin/nginx';
    $ENV{TEST_NGINX_GLOBALS} =
        "load_module $build/ngx_http_constraint_module.so;";
}

use Test::Constraint;

my $root = root_dir();
my $build = Test::Constraint::build_dir();
my $t = Test::Constraint->new();
my $dir = $t->testdir();

make_path("$dir/modules");
symlink("$build/ngx_http_constraint_module.so",
    "$dir/modules/ngx_http_constraint_module.so");

my @configurations = sort(glob("$root/conf-examples/*.conf"));
my @workflows = sort(glob("$root/conf-examples/*.yaml"));

cmp_ok(scalar(@configurations), '>=', 4, 'there are configurations');
cmp_ok(scalar(@workflows), '>=', 3, 'there are workflows');

for my $file (@configurations) {
    my ($good, $said) = check(slurp($file));
    ok($good, basename($file) . ' is good') or diag($said);
}

my $broken = slurp($configurations[0]);
$broken =~ s/constraint_zone (\w+)/constraint_zone other_$1/;
my ($good, $said) = check($broken);
ok(!$good, 'a configuration that names no zone of its own is not');
$t->allow(qr/unknown zone/);

for my $file (@workflows) {
    my $out = `'$build/constraintctl' check '$file' 2>&1`;
    is($?, 0, basename($file) . ' is good') or diag($out);
}

for my $file (sort(glob("$root/conf-examples/*.json"))) {
    my $record = eval { JSON::PP->new->utf8->decode(slurp($file)) };
    ok($record, basename($file) . ' is JSON');

    my $name = $record->{dsl_workflow_id};
    ok((grep { slurp($_) =~ /^name: \Q$name\E$/m } @workflows),
        basename($file) . ' points to one of the workflows');
}


# check(TEXT): nginx -t; places outside the test's folder are moved into it

sub check {
    my ($text) = @_;

    $text =~ s{/var/lib/(?:nginx|constraint-quickstart)/}{$dir/}g;
    $text =~ s{^(\s*pid )nginx\.pid;}{$1$dir/nginx.pid;}m
        or $text = "pid $dir/nginx.pid;\n$text";
    $text =~ s{listen (?:127\.0\.0\.1:)?(\d+);}
        {'listen 127.0.0.1:' . $t->port($1) . ';'}ge;

    for my $kind (qw(client_body proxy fastcgi uwsgi scgi)) {
        next if $text =~ /${kind}_temp_path/;
        $text =~ s/^http \{/http \{\n    ${kind}_temp_path $dir\/$kind;/m;
    }

    $text =~ s/^http \{/http \{\n    access_log $dir\/access.log;/m
        unless $text =~ /^    access_log /m;

    make_path("$dir/temp");
    $t->write_file('nginx.conf', $text);
    return $t->test_conf();
}
