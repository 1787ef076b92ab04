#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Several constraints, their order, inheritance and its end, and the
# variables that tell of the one that decided.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $show = join('', map { "add_header X-$_ \$constraint_$_ always;\n" }
    qw(effect outcome message id rule time cost where mode));

my $t = Test::Constraint::Gate->start(<<"END",
location /two {
    constraint yes;
    constraint one;
    proxy_pass http://backend;
}
location /first {
    constraint one;
    constraint two;
    proxy_pass http://backend;
}
location /headers {
    constraint give;
    constraint give_more;
    proxy_set_header X-Seen \$http_x_role;
    proxy_pass http://backend;
}
location /output {
    constraint output;
    proxy_set_header X-Name \$constraint_output_name;
    proxy_set_header X-Number \$constraint_output_number;
    proxy_set_header X-List \$constraint_output_list;
    proxy_set_header X-None \$constraint_output_none;
    proxy_set_header X-Bad \$constraint_output_bad;
    proxy_pass http://backend;
}
location /inherit { proxy_pass http://backend; }
location /inherit/off { constraint off; proxy_pass http://backend; }
location /inherit/own { constraint yes; proxy_pass http://backend; }
location /inherit/nest {
    location /inherit/nest/deep { proxy_pass http://backend; }
    proxy_pass http://backend;
}
END
    server => "constraint server;\n$show",
    http => 'log_format c "C:$constraint_effect:$constraint_outcome"; '
        . 'access_log %%TESTDIR%%/c.log c;');

$t->register('yes', 'true');
$t->register('one', "{'outcome': 'ONE', 'message': 'the first'}");
$t->register('two', "{'outcome': 'TWO'}");
$t->register('server', "request.headers['x-key'] == 'open'");
$t->register('give', "{'effect': 'allow', "
    . "'headers': {'X-Role': 'reader', 'X-A': '1'}}");
$t->register('give_more', "request.headers['x-role'] == 'root' ? "
    . "{'effect': 'allow', 'headers': {'X_Role': 'writer'}} : "
    . "{'effect': 'deny'}");
$t->register('output', <<'END');
{'effect': 'allow', 'output': {'name': 'a b', 'number': 7,
    'list': [1, 'x'], 'bad': 'a\r\nX-Admin: 1'}}
END

my $b = $t->{backend};
my $r;


# order

$r = $t->get('/two');
is($r->status, 403, 'the second one denies after the first has allowed');
is($r->json->{outcome}, 'ONE', 'with its outcome');
is($r->header('x-outcome'), 'ONE', 'the variables show the deciding one');
is($r->header('x-effect'), 'deny', 'its effect');
is($r->header('x-message'), 'the first', 'its message');
is($r->header('x-rule'), 'rule.match[0]', 'its rule');
is($r->header('x-id'), $r->json->{id}, 'its id');
is($r->header('x-where'), 'inline', 'where it ran');
is($r->header('x-mode'), 'enforce', 'its mode');
like($r->header('x-time'), qr/^\d+$/, 'its time');
like($r->header('x-cost'), qr/^\d+$/, 'its cost');

is($t->get('/first')->json->{outcome}, 'ONE', 'the first denial is the last');

# inheritance

$b->clear();
is($t->get('/inherit')->status, 403, 'a location inherits');
is($t->get('/inherit', headers => { 'X-Key' => 'open' })->status, 200,
    'and passes like its server');
is($t->get('/inherit/nest/deep')->status, 403, 'a nested one does, too');
is($t->get('/inherit/off')->status, 200, 'off ends it');
is($t->get('/inherit/own')->status, 200, 'one of its own replaces it');
is($t->get('/inherit/own')->header('x-outcome'), 'ALLOW',
    'and is what the variables show');
ok(!defined $t->get('/inherit/off')->header('x-outcome'),
    'without one they are empty');

# headers of several

$b->clear();
$r = $t->get('/headers', headers => { 'X-Role' => 'root', 'x-a' => '2' });
is($r->status, 200, 'each constraint judges the client\'s own headers');
is_deeply([ $b->header($b->last, 'X-Role') ], [],
    'the last one of a name replaces the others');
is_deeply([ $b->header($b->last, 'X_Role') ], [ 'writer' ],
    'whatever it is spelled like');
is_deeply([ $b->header($b->last, 'X-A') ], [ '1' ],
    'and every one of the client\'s');
is_deeply([ $b->header($b->last, 'X-Seen') ], [ 'writer' ],
    'nginx\'s own variable follows');

# outputs

$t->get('/output');
my %seen = map { $_->[0] => $_->[1] } @{$b->last->{headers}};

is($seen{'X-Name'}, 'a b', 'an output that is text is itself');
is($seen{'X-Number'}, '7', 'a number is JSON');
is($seen{'X-List'}, '[1,"x"]', 'a list is, too');
is($seen{'X-None'}, undef, 'one that is missing is empty');
is($seen{'X-Bad'}, 'a  X-Admin: 1', 'no text begins another header');
is($seen{'X-Admin'}, undef, 'not even a well-made one');

# the log, the API

ok((wait_until { $t->read_file('c.log') =~ /C:deny:ONE/ }),
    'the access log knows the decision');

done_testing();
