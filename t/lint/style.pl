#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks the shape of source files: licence, width, tabs, comments, length of
# functions and files, words that mean unfinished.  Prints file:line: what is
# wrong; ends with 1 if there is any.  It does not judge layout.
#
#     t/lint/style.pl [ROOT]

use warnings;
use strict;

use File::Find;

my $root = $ARGV[0] // '.';
my $bad = 0;

# functions over 100 lines that are a table or one switch loop

my %long = read_list("$root/t/lint/long-functions.txt");
my %seen;

my $WIDTH = 80;
my $FUNCTION = 100;
my $FILE = 900;

chdir($root) or die "$root: $!\n";

my @files;

find({ no_chdir => 1, wanted => sub {
    return $File::Find::prune = 1 if m{^\./(?:build|\.git)$};
    push @files, $_ =~ s{^\./}{}r if -f $_;
} }, '.');

for my $file (sort @files) {
    if ($file =~ m{^(?:src|t)/.*\.(?:c|h|cc)$}) {
        check_c($file);

    } elsif ($file =~ m{\.(?:pl|pm|t|sh)$|^config$|^src/config\.make$|^\.ci/}
        || $file =~ m{^t/lib/(?:exec|valgrind-units)$})
    {
        check_script($file);
    }
}

for my $name (sort keys %long) {
    complain('t/lint/long-functions.txt', 1, "$name is not over $FUNCTION")
        unless $seen{$name};
}

exit($bad ? 1 : 0);


sub complain {
    my ($file, $line, $what) = @_;
    print "$file:$line: $what\n";
    $bad++;
}


sub read_list {
    my ($file) = @_;

    open(my $fh, '<', $file) or return ();
    return map { /^([\w.\/]+:\w+)\s/ ? ($1 => 1) : () } <$fh>;
}


sub lines_of {
    my ($file) = @_;

    open(my $fh, '<:raw', $file) or die "$file: $!\n";
    my @lines = <$fh>;

    complain($file, scalar(@lines), 'no line feed at the end')
        if @lines && $lines[-1] !~ /\n$/;

    chomp(@lines);
    return @lines;
}


sub check_lines {
    my ($file, @lines) = @_;

    for my $i (0 .. $#lines) {
        my $text = $lines[$i];

        # what is seen counts, not its bytes

        utf8::decode(my $seen = $text);

        complain($file, $i + 1, 'over ' . $WIDTH . ' columns')
            if length($seen) > $WIDTH;
        complain($file, $i + 1, 'a space at the end') if $text =~ /[ \t]$/;
        complain($file, $i + 1, 'a word that means unfinished')
            if $text =~ /\b(?:TO[D]O|FIX[M]E|XX[X])\b/;
    }

    complain($file, scalar(@lines), 'over ' . $FILE . ' lines')
        if @lines > $FILE;
}


sub check_c {
    my ($file) = @_;

    my @lines = lines_of($file);

    check_lines($file, @lines);

    my $head = join("\n", @lines[0 .. ($#lines < 4 ? $#lines : 4)]);

    # nginx begins with an empty line

    $head =~ s/^\n//;

    complain($file, 1, 'no licence header') if index("$head\n", "/*\n"
        . " * Copyright (C) ngx_http_constraint_module authors\n"
        . " * SPDX-License-Identifier: BSD-2-Clause\n"
        . " */\n") != 0;

    for my $i (0 .. $#lines) {
        complain($file, $i + 1, 'a tab') if $lines[$i] =~ /\t/;
    }

    my @code = split(/\n/, bare(join("\n", @lines)), -1);

    for my $i (0 .. $#code) {
        complain($file, $i + 1, 'a // comment') if $code[$i] =~ m{//};
    }

    check_functions($file, @code);
}


# bare(TEXT): the text with comments and literals blanked, lines kept

sub bare {
    my ($text) = @_;

    my $blank = sub { my $part = shift; $part =~ s/[^\n]/ /g; return $part };

    $text =~ s{
        (/\*.*?\*/)                       # a comment
        | ("(?:[^"\\\n]|\\.)*")           # a string
        | (?<![\w])('(?:[^'\\\n]|\\.)+')  # a character
        | (R"\((?:.*?)\)")                # a raw string of C++
    }{ $blank->($1 // $2 // $3 // $4) }gsex;

    return $text;
}


sub check_functions {
    my ($file, @code) = @_;

    my ($start, $name);

    for my $i (0 .. $#code) {
        if ($code[$i] =~ /^\{/) {
            $start = $i;

            # the name stands on one of the lines above

            for (my $j = $i - 1; $j >= 0 && $j > $i - 12; $j--) {
                if ($code[$j] =~ /^(\w+)\(/) {
                    $name = $1;
                    last;
                }
            }

        } elsif ($code[$i] =~ /^\}/ && defined $start) {
            my $length = $i - $start - 1;

            if ($length > $FUNCTION) {
                my $key = "$file:" . ($name // '?');

                complain($file, $start + 1,
                    ($name // '?') . "() has $length lines")
                    unless $long{$key};
                $seen{$key} = 1;
            }

            ($start, $name) = ();
        }
    }
}


sub check_script {
    my ($file) = @_;

    my @lines = lines_of($file);

    check_lines($file, @lines);

    my $head = join("\n", @lines[0 .. ($#lines < 7 ? $#lines : 7)]);

    complain($file, 1, 'no licence header') if $head !~
        /^# Copyright \(C\) ngx_http_constraint_module authors\n# SPDX-L/m;

    return if $file =~ m{config\.make$};

    for my $i (0 .. $#lines) {
        complain($file, $i + 1, 'a tab') if $lines[$i] =~ /\t/;
    }
}
