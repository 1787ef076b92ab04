package Test::Constraint::Formatter;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# prove's own output, with what was skipped listed before the summary, so that
# a pass never hides what did not run.

use warnings;
use strict;

use TAP::Formatter::Console;
use TAP::Formatter::File;

# the choice prove makes itself when it is given no formatter

our @ISA = -t STDOUT ? 'TAP::Formatter::Console' : 'TAP::Formatter::File';


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
            push @lines, "  $name: tests @skipped";
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
