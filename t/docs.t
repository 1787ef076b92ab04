#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The documents tell the truth: configuration blocks pass `nginx -t`, JSON
# blocks parse, policies pass `constraintctl check`, test files in Perl pass,
# shell blocks of OPERATIONS.md do what is said there, links lead somewhere,
# every line of the error log is explained, every decision is indexed.
# REST.md, WORKFLOWS.md and DIRECTIVES.md are executed further by tests of
# their own.
#
# A block is left out by a comment in the line before it:
# <!-- not run: the reason -->.  <!-- warns --> says that nginx warns.

use warnings;
use strict;

use File::Basename qw(basename dirname);
use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $root = root_dir();
my $t = Test::Constraint->new(workers => 1);
my $dir = $t->testdir();
my $ctl = Test::Constraint::build_dir() . '/constraintctl';

my @files = ("$root/README.md", sort glob("$root/docs/*.md $root/docs/*/*.md"));


# --- blocks -----------------------------------------------------------------

# blocks(FILE): { kind, text, line, before }; before: the comment line above

sub blocks {
    my ($file) = @_;

    my (@blocks, $block, $before);
    my $n = 0;

    for my $line (split(/\n/, slurp($file))) {
        $n++;

        if ($line =~ /^(\s*)```(\w*)/) {
            if ($block) {
                push @blocks, $block;
                $block = undef;

            } else {
                $block = { kind => $2, text => '', line => $n,
                    before => $before // '' };
            }

        } elsif ($block) {
            $block->{text} .= "$line\n";
        }

        $before = $line if $line =~ /\S/ || $line =~ /^```/;
    }

    return @blocks;
}


# top_level(TEXT): names of the directives outside all braces

sub top_level {
    my ($text) = @_;

    $text =~ s/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/x/gs;
    $text =~ s/\$\{\w+\}/x/g;
    $text =~ s/#.*$//mg;

    my ($depth, %names) = (0);

    for my $part (split(/([;{}])/, $text)) {
        if ($part eq '{') {
            $depth++;

        } elsif ($part eq '}') {
            $depth--;

        } elsif ($depth == 0 && $part =~ /^\s*(\w+)/) {
            $names{$1} = 1;
        }
    }

    return \%names;
}


my (%ports, %paths);

sub port_of {
    my ($written) = @_;
    return $ports{$written} //= $t->port('doc' . scalar(keys %ports));
}

sub path_of {
    my ($written) = @_;
    return $paths{$written} //= "$dir/docs/" . scalar(keys %paths);
}


# local_names(TEXT): what an example takes from the machine is given to it

sub local_names {
    my ($text) = @_;

    $text =~ s/^\s*load_module[^;]*;//mg;
    $text =~ s/\b(listen\s+)(?:[\d.*]+:|\[[^\]]*\]:)?(\d+)/
        $1 . '127.0.0.1:' . port_of($2)/ge;
    $text =~ s/\bpath=([^\s;]+)/'path=' . path_of($1)/ge;
    $text =~ s/\b((?:access|error)_log\s+)\/[^\s;]+/$1$dir\/doc.log/g;
    $text =~ s/\b(auth_basic_user_file\s+)[^;]+/$1$dir\/users/g;
    $text =~ s/^(\s*)(?:pid|user)\s[^;]*;/$1/mg;

    return $text;
}


# given(TEXT): upstreams and zones that a fragment uses and does not declare

sub given {
    my ($text) = @_;

    my $more = '';
    my (%upstreams, %zones);

    $upstreams{$1} = 1 while $text =~ m{_pass\s+https?://([a-z_]+)[;/\s]}g;
    $zones{$1} = 1 while $text =~ /\bzone=(\w+)/g;
    $zones{$1} = 1 while $text =~ /\bconstraint_api\s+(\w+)/g;

    for my $name (sort keys %upstreams) {
        next if $text =~ /\bupstream\s+$name\b/ || $name eq 'localhost';
        $more .= "upstream $name { server 127.0.0.1:9; }\n";
    }

    for my $name (sort keys %zones) {
        next if $text =~ /\bconstraint_zone\s+$name:/;
        $more .= "constraint_zone $name:8m path=$dir/docs/zone-$name;\n";
    }

    return $more;
}


sub configuration {
    my ($block) = @_;

    my $text = local_names($block);
    my $top = top_level($text);
    my $given = given($text);

    if ($top->{http}) {
        $text =~ s/\bhttp\s*\{/http {\n%%GLOBALS_HTTP%%\n$given/;
        $text .= "\nevents { }\n" unless $top->{events};

    } else {
        if (!grep { $top->{$_} } qw(server upstream map constraint_zone
            log_format geo split_clients constraint_allow_vars
            constraint_program_cache constraint_profile_define))
        {
            $text = "location / {\n$text\n}\n" unless $top->{location};
            $text = 'server { listen 127.0.0.1:' . port_of('fragment')
                . ";\n$text\n}\n";
        }

        # what is of main level stays outside

        my $main = '';
        $main .= $1 while $text =~ s/^\s*((?:thread_pool|env)\s[^;]*;\n)//m;
        $text = "$main\nevents { }\nhttp {\n%%GLOBALS_HTTP%%\n$given$text\n}\n";
    }

    my $pools = '';

    for my $name (qw(constraint constraint_store)) {
        $pools .= "thread_pool $name threads=1;\n"
            unless $text =~ /thread_pool\s+$name\s/;
    }

    my $globals = Test::Constraint::globals_line()
        . "\npid $dir/doc.pid;\nerror_log $dir/doc-error.log;\n";

    # nobody but root writes there

    $text =~ s{/var/log/nginx/}{$dir/}g;

    return $t->expand($globals . $pools . $text);
}


$t->write_file('users', "user:{PLAIN}password\n");
$t->write_file('docs/here', '');

for my $file (@files) {
    my $name = $file =~ s/^\Q$root\E\///r;

    for my $block (blocks($file)) {
        my $at = "$name:$block->{line}";

        next if $block->{before} =~ /^<!-- not run: \S/;

        if ($block->{kind} eq 'nginx') {
            $t->write_file('nginx.conf', configuration($block->{text}));
            my ($good, $said) = $t->test_conf();
            my $warns = $block->{before} =~ /<!-- warns -->/;

            if (!ok($good, "$at: nginx takes it")) {
                diag($said);

            } elsif ($warns) {
                like($said, qr/\[warn\]/, "$at: and warns");

            } else {
                unlike($said, qr/\[warn\]/, "$at: without a warning");
            }

        } elsif ($block->{kind} eq 'json') {
            my $data = eval { JSON::PP->new->utf8->decode($block->{text}) };
            ok($data, "$at: is JSON") or diag($@);
            policy($at, $block->{text}, 'json')
                if ref($data) eq 'HASH' && $data->{rule} && $data->{name};

        } elsif ($block->{kind} eq 'yaml') {
            policy($at, $block->{text}, 'yaml')
                if $block->{text} =~ /^name:/m && $block->{text} =~ /^rule:/m;

        } elsif ($block->{kind} =~ /^(?:sh|bash)$/) {
            my $script = $t->write_file('block.sh', $block->{text});
            is(system("bash -n '$script' 2>&1"), 0, "$at: is shell");

        } elsif ($block->{kind} eq 'perl') {
            symlink("$root/t/lib", "$dir/lib");
            my $script = $t->write_file('block.t', $block->{text});
            my $said = `$^X '$script' 2>&1`;
            is($?, 0, "$at: is a test that passes") or diag($said);
        }
    }
}


sub policy {
    my ($at, $text, $format) = @_;

    SKIP: {
        skip "$at: no constraintctl", 1 unless -x $ctl;
        my $file = $t->write_file("policy.$format", $text);
        my $said = `'$ctl' check '$file' 2>&1`;
        is($?, 0, "$at: the policy is good") or diag($said);
    }
}


# --- links ------------------------------------------------------------------

for my $file (@files) {
    my $name = $file =~ s/^\Q$root\E\///r;
    my $text = slurp($file) =~ s/^```.*?^```//gmsr;
    my @dead;

    while ($text =~ /\]\(([^)#\s]+)(?:#[^)]*)?\)/g) {
        my $target = $1;
        next if $target =~ /^[a-z]+:/;
        push @dead, $target unless -e dirname($file) . "/$target";
    }

    is("@dead", '', "$name: its links lead somewhere");
}


# --- decisions --------------------------------------------------------------

my $index = slurp("$root/docs/adr/README.md");

for my $file (glob("$root/docs/adr/[0-9]*.md")) {
    my $name = basename($file);
    my $text = slurp($file);

    like($index, qr/\(\Q$name\E\)/, "$name is in the index");
    like($text, qr/^# \d{3}: \S/, "$name has its title");

    for my $part (qw(Context Decision Consequences)) {
        like($text, qr/^## $part$/m, "$name tells the " . lc($part));
    }
}


# --- lines of the error log -------------------------------------------------

# log_lines(TEXT): [level, text] of the calls that log at warn or above; at
# emerg nginx does not start, and the line says what would be right

sub log_lines {
    my ($text) = @_;

    my @lines;

    while ($text =~ /ngx_log_error\(\s*(\w+)\s*,(.*?)\);/gs) {
        my ($level, $rest) = ($1, $2);

        # a level that is not written there is the directive's

        $level = 'constraint_log_level' unless $level =~ s/^NGX_LOG_//;
        next unless $level =~ /^(?:ALERT|CRIT|ERR|WARN|constraint_log_level)$/;

        # adjacent literals are one; PRI macros do not occur in nginx

        my ($first) = $rest =~ /("(?:\\.|[^"\\])*"(?:\s*"(?:\\.|[^"\\])*")*)/s
            or next;
        my $line = join('', map { s/\\"/"/gr }
            $first =~ /"((?:\\.|[^"\\])*)"/g);

        push @lines, [ lc($level =~ s/^ERR$/error/r), $line ];
    }

    return @lines;
}

is(json([ log_lines('ngx_log_error(NGX_LOG_ERR, log, 0, "a \"%V\" "'
    . "\n  \"b\", x);") ]), '[["error","a \"%V\" b"]]',
    'a line is read from a source');

my $operations = slurp("$root/docs/OPERATIONS.md");
my ($table) = $operations =~ /<!-- log lines -->(.*)<!-- end of log lines -->/s;
my %listed = map { $_ => 1 } ($table // '') =~ /^\| \w+ \| `` ?(.*?) ?`` \|/mg;
my (%found, @missing);

for my $file (glob("$root/src/*/*.c $root/src/*/*.cc")) {
    for my $line (log_lines(slurp($file))) {
        my ($level, $text) = @$line;
        $found{$text} = $level;
        push @missing, "$level: $text (" . basename($file) . ')'
            unless $table =~ /^\| $level \| `` ?\Q$text\E ?`` \|/m;
    }
}

is(join("\n", @missing), '', 'every line of the error log is explained');
is(join("\n", grep { !$found{$_} } sort keys %listed), '',
    'no line is explained that nobody logs');


# --- what OPERATIONS.md tells to type ----------------------------------------

SKIP: {
    skip 'needs mdb_copy (lmdb-utils)', 1
        unless grep { -x "$_/mdb_copy" } split(/:/, $ENV{PATH});

    subtest 'backup, restore and upgrade as written' => \&as_written;
}


sub as_written {
    $t->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

    my %block = map { /mdb_copy/ ? (backup => $_) : /-s quit/
        ? (restore => $_) : /USR2/ ? (upgrade => $_) : () }
        map { $_->{text} } grep { $_->{kind} eq 'sh' }
        blocks("$root/docs/OPERATIONS.md");

    my $register = sub {
        my ($name) = @_;
        my ($status) = $t->api('POST', '/constraint', {
            message_type => $name, subject_id => '*', dsl_workflow_id => 'w',
            constraint_metadata => {} });
        return $status;
    };

    $t->api('POST', '/workflow', { name => 'w', rule => { match => [
        { output => 'true' } ] } });
    is($register->('kept'), 201, 'a constraint is registered');
    is(type_in($block{backup}), 0, 'a backup is made while nginx runs');
    is($register->('later'), 201, 'another one after it');

    my $master = $t->pid();
    my @steps = split(/\n/, $block{upgrade});

    is(type_in($steps[0]), 0, 'a new binary is started');
    ok((wait_until { $t->pid('nginx.pid.oldbin')
        && ($t->pid() // $master) != $master && $t->worker_pids() } 20),
        'it runs');
    is(type_in($steps[1]), 0, 'the old workers are told to end');
    ok((wait_until { !$t->worker_pids($master)
        && !$t->old_worker_pids($master) } 20), 'they end');
    is(type_in($steps[2]), 0, 'the old master also');
    ok((wait_until { !$t->alive($master) } 20), 'it ends');

    my ($quit, $rest) = $block{restore} =~ /^(.*?\n)(.*)$/s;
    my @pids = ($t->pid(), $t->worker_pids());

    is(type_in($quit), 0, 'nginx is stopped');
    ok((wait_until { !grep { $t->alive($_) } @pids } 20),
        'it stops');
    is(type_in($rest), 0, 'the backup is restored, nginx is started');
    ok((wait_until { ($t->api('GET', '/status'))[0] == 200 } 20),
        'it answers');
    is(($t->api('GET', '/constraint/kept'))[0], 200,
        'what was backed up is there');
    is(($t->api('GET', '/constraint/later'))[0], 404,
        'what came later is not');
    is($register->('later'), 201, 'writing goes on');
}


# type_in(TEXT): runs it with the names of this machine

sub type_in {
    my ($text) = @_;

    my $nginx = Test::Constraint::binary() . " -p $dir/ -c $dir/nginx.conf"
        . " -e $dir/error.log";
    my $owner = (getpwuid((stat("$dir/store"))[4] // 0))[0];

    $text =~ s{/var/lib/nginx/constraint}{$dir/store}g;
    $text =~ s{/var/backups/constraint}{$dir/backup}g;
    $text =~ s{/run/nginx\.pid}{$dir/nginx.pid}g;
    $text =~ s{www-data:}{$owner:}g;
    $text =~ s{^nginx\b}{$nginx}gm;

    my $script = $t->write_file('typed.sh', "set -e\n$text");

    # nginx leaves what its commands read to the system

    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';

    my $status = system("bash '$script' > '$dir/typed.out' 2>&1");
    diag($t->read_file('typed.out')) if $status != 0;
    return $status;
}
