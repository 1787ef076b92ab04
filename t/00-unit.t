#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The unit tests of the libraries above CEL; those of CEL are cel/units.t.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;
use Test::Constraint::Unit qw(run_units);

my $root = root_dir();

run_units(map { m{/t/(.+)/$} } glob("$root/t/unit/*/"));

done_testing();
