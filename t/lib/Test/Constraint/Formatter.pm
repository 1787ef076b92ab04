package Test::Constraint::Formatter;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# prove's own output, with what was skipped listed before the summary, each test
# with its name and the reason, so that a pass never hides what did not run.

use warnings;
use strict;

use TAP::Formatter::Console;
use TAP::Formatter::File;

# the choice prove makes itself when it is given no formatter

our @ISA = -t STDOUT ? 'TAP::Formatter::Console' : 'TAP::Formatter::File';


# A parser forgets what its tests were called: they are noted as they come.

sub open_test {
    my ($self, $name, $parser) = @_;

    my $noted = $self->{skipped_tests}{$name} = [];

    $parser->callback(test => sub {
        my ($test) = @_;

        push @$noted, [ $test->number, _what($test) ] if $test->has_skip;
    });

    return $self->SUPER::open_test($name, $parser);
}


sub _what {
    my ($test) = @_;

    (my $name = $test->description) =~ s/^- //;
    my $reason = $test->explanation;

    return join(': ', grep { length } $name, $reason) || 'no reason given';
}


# tests that follow each other and say the same are one line

sub _list {
    my ($noted) = @_;

    my @runs;

    for my $test (@$noted) {
        my ($number, $what) = @$test;
        my $run = $runs[-1];

        if ($run && $run->{what} eq $what && $run->{last} == $number - 1) {
            $run->{last} = $number;

        } else {
            push @runs, { first => $number, last => $number, what => $what };
        }
    }

    return map { "    $_->{first}" . ($_->{last} > $_->{first}
        ? "-$_->{last}" : '') . ": $_->{what}" } @runs;
}


sub summary {
    my ($self, $aggregate, @rest) = @_;

    my ($files, $tests, @lines) = (0, 0);

    for my $name ($aggregate->descriptions) {
        my ($parser) = $aggregate->parsers($name);

        if (defined(my $reason = $parser->skip_all)) {
            $files++;
            push @lines, "  $name: $reason";

        } elsif (my @skipped = $parser->skipped) {
            $tests += @skipped;
            push @lines, "  $name: tests @skipped",
                _list($self->{skipped_tests}{$name} // []);
        }
    }

    if (@lines) {
        $self->_output("\nSkipped: $files whole files, $tests tests\n");
        $self->_output("$_\n") for @lines;
        $self->_output("\n");
    }

    return $self->SUPER::summary($aggregate, @rest);
}


1;
