#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The unit tests of the CEL library, test_*.c of this folder.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;
use Test::Constraint::Unit qw(run_units);

run_units('cel');

done_testing();
