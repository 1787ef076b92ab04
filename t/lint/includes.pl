#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks that the rooms of the house stay apart: who includes whom, which
# library is known where, and a few names that belong to one room only.
# Prints file:line: what is wrong; ends with 1 if there is any.
#
#     t/lint/includes.pl [ROOT]

use warnings;
use strict;

my $root = $ARGV[0] // '.';
my $bad = 0;

# a room, its file prefix, its public headers, the rooms and the libraries it
# may include; libc is free to all

my %rooms = (
    cel => {
        prefix => 'cel', public => [ 'cel.h', 'cel_cost_sum.h', 'cel_atom.h' ],
        rooms => [], libraries => [],
    },
    workflow => {
        prefix => 'workflow',
        public => [ 'workflow.h', 'workflow_facts.h' ],
        rooms => [ 'cel' ], libraries => [ 'jansson', 'yaml' ],
    },
    query => {
        prefix => 'query', public => [ 'query.h' ],
        rooms => [], libraries => [ 'jansson' ],
    },
    base => {
        prefix => 'ngx_constraint', public => [ 'ngx_constraint_base.h' ],
        rooms => [ 'cel' ], libraries => [ 'ngx_core', 'jansson' ],
    },
    catalogue => {
        prefix => 'ngx_constraint',
        public => [ 'ngx_constraint_catalogue.h' ],
        rooms => [ 'base', 'workflow', 'query', 'cel', 'budget' ],
        libraries => [ 'ngx_core', 'jansson', 'lmdb' ],
    },
    budget => {
        prefix => 'ngx_constraint',
        public => [ 'ngx_constraint_budget.h', 'ngx_constraint_execution.h',
                    'ngx_constraint_feedback.h',
                    'ngx_constraint_profile.h', 'ngx_constraint_retry.h',
                    'ngx_constraint_sampling.h', 'ngx_constraint_stats.h',
                    'ngx_constraint_violation.h' ],
        rooms => [ 'base', 'cel' ], libraries => [ 'ngx_core', 'jansson' ],
    },
    enforcer => {
        prefix => 'ngx_constraint',
        public => [ 'ngx_constraint_enforcer.h' ],
        rooms => [ 'base', 'cel', 'workflow', 'catalogue', 'budget' ],
        libraries => [ 'ngx_core', 'jansson' ],
    },
    audit => {
        prefix => 'ngx_constraint',
        public => [ 'ngx_constraint_audit.h' ],
        rooms => [ 'base', 'cel', 'budget', 'enforcer' ],
        libraries => [ 'ngx_core' ],
    },
    http => {
        prefix => 'ngx_http_constraint',
        public => [ 'ngx_http_constraint.h' ],
        rooms => [ 'base', 'cel', 'workflow', 'query', 'catalogue', 'budget',
                   'enforcer', 'audit' ],
        libraries => [ 'ngx_core', 'ngx_http', 'jansson' ],
    },
    api => {
        prefix => 'ngx_http_constraint', public => [],
        rooms => [ 'base', 'cel', 'workflow', 'query', 'catalogue', 'budget',
                   'enforcer', 'audit', 'http' ],
        libraries => [ 'ngx_core', 'ngx_http', 'jansson' ],
    },
    cli => {
        prefix => 'cli|constraintctl', public => [],
        rooms => [ 'cel', 'workflow', 'query' ], libraries => [ 'jansson' ],
    },
);

# a header that is not ours, and the library it stands for

my @libraries = (
    [ qr{^jansson\.h$} => 'jansson' ],
    [ qr{^lmdb\.h$} => 'lmdb' ],
    [ qr{^yaml\.h$} => 'yaml' ],
    [ qr{^re2/} => 're2' ],
    [ qr{^simdjson} => 'simdjson' ],
    [ qr{^ngx_(?:config|core|thread_pool|event\w*|crc32|md5|sha1)\.h$}
        => 'ngx_core' ],
    [ qr{^ngx_http(?!_constraint)\w*\.h$} => 'ngx_http' ],
);

# the shims: one C++ library each, in one file each

my %shims = (
    'src/cel/cel_re2.cc' => 're2',
    'src/cel/cel_simdjson.cc' => 'simdjson',
    'src/cel/cel_charconv.cc' => 'charconv',
);

# names that only some rooms may use

my @names = (
    [ qr/\b(?:MDB|mdb)_\w+/ => [ 'catalogue' ] ],
    [ qr/\bngx_thread_task_post\b/ => [ 'base' ] ],
    [ qr/\bngx_http_request_[ts]\b/ => [ 'http', 'api' ] ],
    [ qr/\byaml_\w+\(/ => [ 'workflow' ] ],
);

chdir($root) or die "$root: $!\n";

my %owner;

for my $file (sort(glob('src/*/*'))) {
    my ($room, $name) = $file =~ m{^src/(\w+)/([^/]+)$} or next;

    if (!$rooms{$room}) {
        complain($file, 1, "src/$room is no room of the house");
        next;
    }

    $owner{$name} = $room if $name =~ /\.h$/;
}

for my $file (sort(glob('src/*/*'))) {
    my ($room, $name) = $file =~ m{^src/(\w+)/([^/]+)$} or next;
    next unless $rooms{$room};

    check_name($file, $room, $name);
    check_file($file, $room) if $name =~ /\.(?:c|h|cc)$/;
}

exit($bad ? 1 : 0);


sub complain {
    my ($file, $line, $what) = @_;
    print "$file:$line: $what\n";
    $bad++;
}


sub check_name {
    my ($file, $room, $name) = @_;

    complain($file, 1, "\"$name\" does not say what is in it")
        if $name =~ /(?:^|_)(?:utils?|helpers?|common|misc)\./;

    my $prefix = $rooms{$room}{prefix};

    complain($file, 1, "its name must begin with \"$prefix\"")
        if $name =~ /\.(?:c|h|cc)$/ && $name !~ /^(?:$prefix)(?:_|\.)/;

    complain($file, 1, 'only the shims of cel are C++')
        if $name =~ /\.(?:cc|cpp|cxx)$/ && !$shims{$file};
}


sub check_file {
    my ($file, $room) = @_;

    open(my $fh, '<:raw', $file) or die "$file: $!\n";
    local $/;
    my $text = <$fh>;

    # comments may name anything

    $text =~ s{(/\*.*?\*/)}{ my $c = $1; $c =~ s/[^\n]//g; $c }gse;

    my $line = 0;

    for my $code (split(/\n/, $text, -1)) {
        $line++;

        if ($code =~ /^\s*#\s*include\s*[<"]([^>"]+)[>"]/) {
            check_include($file, $line, $room, $1);
            next;
        }

        for my $rule (@names) {
            my ($pattern, $allowed) = @$rule;
            next if grep { $_ eq $room } @$allowed;
            complain($file, $line, "$1 is for @$allowed only")
                if $code =~ /($pattern)/;
        }
    }
}


sub check_include {
    my ($file, $line, $room, $header) = @_;

    my $own = $owner{$header};
    my $may = $rooms{$room};

    if (defined $own) {
        return if $own eq $room;

        if (!grep { $_ eq $own } @{$may->{rooms}}) {
            complain($file, $line, "$room may not include $own ($header)");

        } elsif (!grep { $_ eq $header } @{$rooms{$own}{public}}) {
            complain($file, $line, "$header is private to $own");
        }

        return;
    }

    for my $rule (@libraries) {
        my ($pattern, $library) = @$rule;

        next unless $header =~ $pattern;
        return if ($shims{$file} // '') eq $library;
        return if grep { $_ eq $library } @{$may->{libraries}};

        complain($file, $line, "$room may not include $header");
        return;
    }

    complain($file, $line, "no such header of ours: $header")
        if $header =~ /^(?:cel|workflow|query|ngx)\w*\.h$/;
}
