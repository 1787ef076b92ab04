#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# docs/DIRECTIVES.md against the command tables: every directive, no other
# one, in the contexts it has, with a default and an example, and a test of
# its own.  docs/VARIABLES.md and docs/SECURITY.md against their tables.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;

my $root = root_dir();


# the command tables: name => contexts

my %commands;
my %context = (MAIN => 'http', SRV => 'server', LOC => 'location');

for my $file (glob("$root/src/*/*_module.c")) {
    my $text = slurp($file);

    # test builds only

    $text =~ s/#if \(NGX_CONSTRAINT_FAULTS\).*?#endif//sg;

    my %named = $text =~ /#define (NGX_HTTP_\w+_LEVELS)[\s\\]+(\S+)\n/g;

    while ($text =~ /\{ ngx_string\("(constraint\w*)"\),\n\s*([^,]+),/g) {
        my ($name, $flags) = ($1, $2);
        $flags =~ s/(\w+_LEVELS)/$named{$1}/;
        $commands{$name} = join(', ', map { "`$context{$_}`" }
            grep { $flags =~ /NGX_HTTP_${_}_CONF/ } qw(MAIN SRV LOC));
    }
}

cmp_ok(scalar(keys %commands), '>', 20, 'the command tables are read');

# the document

my $text = slurp("$root/docs/DIRECTIVES.md");
my ($index, @entries) = split(/^## /m, $text);
my %entries = map { /^(\w+)\n(.*)$/s ? ($1 => $2) : () } @entries;

is_deeply([ sort keys %entries ], [ sort keys %commands ],
    'the documented directives are those of the tables');

for my $name (sort keys %commands) {
    my $entry = $entries{$name} // '';

    like($entry, qr/^- syntax: `$name [^`]+`$/m, "$name: has its syntax");
    like($entry, qr/^- default: \S/m, "$name: has its default");
    like($entry, qr/^- since: \d/m, "$name: has its version");
    my ($documented) = $entry =~ /^- context: (.*)$/m;
    is($documented, $commands{$name}, "$name: has its contexts");
    like($entry, qr/^```nginx\n.*?\b$name\b.*?^```/ms,
        "$name: has an example that uses it");
    like($index, qr/\[$name\]\(#$name\)/, "$name: is in the index");
    ok(-e "$root/t/conf_$name.t" || -e "$root/t/conf_$name",
        "$name: has its test") unless $name eq 'constraint_api';
}

# defaults, where merging has them in plain sight

my $module = slurp("$root/src/http/ngx_http_constraint_module.c");

for my $case (
    [ constraint_timeout => qr/timeout, 100\)/, '100ms' ],
    [ constraint_inline_cost => qr/inline_cost, 20000\)/, '20000' ],
    [ constraint_cost_limit => qr/cost_limit, 10000000\)/, '10000000' ],
    [ constraint_max_pending => qr/max_pending, 1024\)/, '1024' ],
    [ constraint_body_max => qr/body_max, 1024 \* 1024\)/, '1m' ],
    [ constraint_memory_limit => qr/32 \* 1024 \* 1024\)/, '32m' ],
    [ constraint_program_cache => qr/program_cache, 64 \* 1024 \* 1024\)/,
      '64m' ],
) {
    my ($name, $code, $default) = @$case;
    ok($module =~ $code && $entries{$name} =~ /^- default: `$default`$/m,
        "$name: the default is $default");
}

# variables

my @variables = slurp("$root/src/http/ngx_http_constraint_vars.c")
    =~ /\{ ngx_string\("(constraint_\w+)"\)/g;
my @documented = slurp("$root/docs/VARIABLES.md") =~ /^\| `\$(\w+)`/mg;

s/NAME$// for @documented;
is_deeply([ sort @documented ], [ sort @variables ],
    'the documented variables are those of the table');

# errors

my @errors = slurp("$root/src/enforcer/ngx_constraint_enforcer_error.c")
    =~ /\{ ngx_string\("(\w+)"\), \d+,/g;
@documented = slurp("$root/docs/SECURITY.md")
    =~ /^\| `(\w+)` \| (?:request|ours) \|/mg;

is_deeply([ sort @documented ], [ sort @errors ],
    'the documented errors are those of the table');

done_testing();
