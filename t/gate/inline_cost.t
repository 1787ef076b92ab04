#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A workflow of many rules that the predicate index covers, where its estimate
# is over the inline limit and where it is not: in the thread pool and on the
# event loop it has the same result by the same rule.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $rules = 300;

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / {
    constraint many;
    constraint_inline_cost 10;
    proxy_pass http://backend;
}
location /inline {
    constraint many;
    constraint_inline_cost 10000000;
    proxy_pass http://backend;
}
END
    'constraint_deny_detail full;');

$t->register_document('many', {
    name => 'many_flow',
    rule => { match => [
        (map { {
            condition => "request.headers['x-k'] == 'v$_'",
            output => "{'outcome': 'RULE_$_', 'message': 'rule $_',"
                . " 'status': " . (400 + $_ % 100) . '}',
        } } 0 .. $rules - 1),
        { output => "{'outcome': 'OTHER', 'message': 'none'}" },
    ] },
});

for my $place ([ '/', 'thread' ], [ '/inline', 'inline' ]) {
    my ($path, $where) = @$place;

    for my $rule (0, 1, 150, $rules - 1) {
        my $r = $t->get($path, headers => { 'X-K' => "v$rule" });

        is($r->status, 400 + $rule % 100, "$path: rule $rule decides");
        is($r->json->{decision}{where}, $where, "in the right place");
        is($r->json->{decision}{outcome}, "RULE_$rule", 'by its output');
    }

    my $r = $t->get($path, headers => { 'X-K' => 'v' });

    is($r->json->{decision}{where}, $where, "$path: no rule matches");
    is($r->json->{decision}{outcome}, 'OTHER', 'so the last one decides');
}
