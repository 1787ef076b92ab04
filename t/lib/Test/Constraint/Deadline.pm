package Test::Constraint::Deadline;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# How long a test waits.  A machine that stands still for a while takes little
# of that: it is as long for what is waited for, which has not done anything
# meanwhile.

use warnings;
use strict;

use Time::HiRes qw(time);

use Exporter qw(import);

our @EXPORT_OK = qw(deadline);


# deadline(SECONDS): a function that tells whether they are over.  It is asked
# again and again; of the time between two questions a second counts at most.

sub deadline {
    my ($left) = @_;

    my $last = time();

    return sub {
        my $now = time();
        my $step = $now - $last;

        $last = $now;
        $left -= $step > 1 ? 1 : $step < 0 ? 0 : $step;

        return $left < 0;
    };
}


1;
