#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# POST /constraints and /workflows: filters, order, fields, pages.  A page has
# no holes, whatever is written meanwhile.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new()->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    client_max_body_size 0;
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

my $N = 250;

for my $name (qw(w v)) {
    $t->api('POST', '/workflow', { name => $name, description => "the $name",
        rule => { match => [ { output => 'true' } ] } });
}

my $c = $t->connect();

for my $i (0 .. $N - 1) {
    my $r = $c->request('POST', '/constraint', body => json({
        message_type => sprintf('c%03d', $i), subject_id => '*',
        dsl_workflow_id => $i % 2 ? 'w' : 'v',
        constraint_metadata => { n => $i, mod => $i % 7, tags =>
            [ "t$i", $i % 3 ? 'odd' : 'third' ], deep => { x => [ { y => $i },
            { y => -$i } ] } } }));
    is($r->status, 201, "c$i") if $r->status != 201;
}

sub list {
    my ($filter, $args, $path) = @_;
    my ($status, $data) = $t->api('POST', ($path // '/constraints')
        . ($args ? "?$args" : ''), $filter);
    return ($status, $data);
}

sub names {
    my ($filter, $args) = @_;
    my ($status, $data) = list($filter, $args);
    return "status $status: " . json($data) if $status != 200;
    return join(' ', map { $_->{message_type} } @{$data->{data}});
}

sub range { return join(' ', map { sprintf('c%03d', $_) } @_) }


# filters

my ($status, $data) = list({});
is($status, 200, 'everything');
is(scalar(@{$data->{data}}), 100, 'a hundred at once');
ok(length($data->{next}), 'and where it goes on');
is($data->{data}[0]{message_type}, 'c000', 'by name');
ok($data->{data}[0]{revision}, 'whole records');

is(names({ message_type => 'c007' }), 'c007', 'by name, equal');
is(names({ message_type => 'nothing' }), '', 'nothing matches');
is(names({ message_type => 'not/a name' }), '', 'nor can it');
is(names({ message_type => 'c007', dsl_workflow_id => 'v' }), '',
    'the name alone is not enough');
is(names({ 'constraint_metadata.n' => { '$gte' => 3, '$lt' => 6 } }),
    range(3, 4, 5), '$gte and $lt');
is(names({ 'constraint_metadata.n' => { '$gt' => 246, '$ne' => 248 } }),
    range(247, 249), '$gt and $ne');
is(names({ 'constraint_metadata.n' => { '$lte' => 1 } }), range(0, 1),
    '$lte');
is(names({ 'constraint_metadata.tags' => 't9' }), 'c009',
    'an element of an array');
is(names({ 'constraint_metadata.tags.0' => 't9' }), 'c009', 'by its index');
is(names({ 'constraint_metadata.tags' => [ 't9', 'third' ] }), 'c009',
    'the whole array');
is(names({ 'constraint_metadata.deep.x.y' => -8 }), 'c008',
    'objects in an array');
is(names({ 'constraint_metadata.n' => { '$in' => [ 1, 5, 'x' ] } }),
    range(1, 5), '$in');
is(names({ 'constraint_metadata.n' => { '$in' => [ 0 .. 9 ],
    '$nin' => [ 2 .. 9 ] } }), range(0, 1), '$nin');
is(names({ '$or' => [ { message_type => 'c001' },
    { 'constraint_metadata.n' => 3 } ] }), range(1, 3), '$or');
is(names({ '$and' => [ { dsl_workflow_id => 'w' },
    { 'constraint_metadata.n' => { '$lt' => 4 } } ] }), range(1, 3), '$and');
is(names({ 'constraint_metadata.n' => { '$not' => { '$gt' => 1 } } }),
    range(0, 1), '$not');
is(names({ description => { '$exists' => JSON::PP::true } }), '', '$exists');

# what is wrong with a filter

for my $case (
    [ { a => { '$gtt' => 1 } }, '$.a.$gtt', 'unknown operator; known are' ],
    [ { '$nor' => [] }, '$.$nor', 'unknown operator' ],
    [ { '$or' => [ {}, { b => { '$in' => 5 } } ] }, '$.$or[1].b.$in',
        'takes an array' ],
    [ { a => { '$in' => [ (1) x 1001 ] } }, '$.a.$in', 'at most 1000' ],
    [ { map { ("f$_" => 1) } 1 .. 1001 }, qr/^\$\.f\d+$/,
        'at most 1000' ],
    [ nest(17), qr/^\$/, 'at most 16 deep' ])
{
    my ($filter, $path, $text) = @$case;
    my $shown = substr(json($filter), 0, 50);

    for my $where ('/constraints', '/workflows') {
        ($status, $data) = list($filter, '', $where);
        is($status, 400, "$where: $shown");
        is($data->{code}, 'InvalidFilter', 'its code');
        like($data->{details}[0]{path}, ref($path) ? $path : qr/^\Q$path\E$/,
            'its path');
        like($data->{error}, qr/\Q$text\E/, 'what would be right');
    }
}

sub nest {
    my ($depth) = @_;
    my $filter = { a => 1 };
    $filter = { '$and' => [ $filter ] } for 2 .. $depth;
    return $filter;
}

is((list(nest(16)))[0], 200, '16 deep is taken');

# arguments

for my $case ('limit=0', 'limit=1001', 'limit=x', 'limit=', 'limit=-5',
    'limit=1&limit=2', 'sort=', 'sort=a..b', 'sort=a,', 'sort=-',
    'fields=', 'fields=a,a', 'fields=a,a.b', 'cursor=', 'cursor=x',
    'cursor=bm90IGpzb24', 'cursor=W10', 'cursor=WzAsIiIsNV0', 'limt=5',
    'sort=%ff', 'sort=a%00b', 'explain=1', '=', 'limit')
{
    ($status, $data) = list({}, $case);
    is($status, 400, "?$case is refused");
    is($data->{code}, 'InvalidArgument', 'its code');
    is($data->{details}[0]{path}, $case =~ s/=.*//r, 'which one');
}

is((list({}, $_))[0], 200, "?$_ is taken")
    for 'limit=1', 'limit=1000', 'sort=%61', 'sort=a&fields=b', '&', '&&';

# fields

($status, $data) = list({ message_type => 'c003' },
    'fields=message_type,constraint_metadata.n,constraint_metadata.deep.x.y');
is(json($data->{data}[0]), '{"constraint_metadata":{"deep":{"x":[{"y":3},'
    . '{"y":-3}]},"n":3},"message_type":"c003"}', 'fields');
($status, $data) = list({ message_type => 'c003' }, 'fields=nothing');
is(json($data->{data}), '[{}]', 'fields that are not there');

# order

is(names({}, 'sort=-message_type&limit=3'), range(249, 248, 247),
    'descending');
is(names({}, 'sort=constraint_metadata.n&limit=3'), range(0, 1, 2),
    'by a number');
is(names({}, 'sort=constraint_metadata.mod,-constraint_metadata.n&limit=3'),
    range(245, 238, 231), 'by two');
is(names({}, 'sort=constraint_metadata.deep.x.y&limit=2'), range(249, 248),
    'by the smallest of an array');
is(names({}, 'sort=nothing&limit=3'), range(0, 1, 2),
    'what is equal goes by name');

# pages

for my $sort ('', 'sort=message_type', 'sort=-message_type',
    'sort=constraint_metadata.mod', 'sort=-constraint_metadata.tags',
    'sort=nothing', 'sort=dsl_workflow_id,-constraint_metadata.mod')
{
    for my $limit (1, 7, 100, 1000) {
        next if $limit == 1 && $sort ne '';
        my ($pages, @seen) = walk($sort, $limit);
        my ($all) = names({}, join('&', 'limit=1000', $sort || ()));
        is(join(' ', @seen), $all, "pages of $limit, $sort");
    }
}

sub walk {
    my ($sort, $limit, $between) = @_;

    my ($cursor, $pages, @seen) = (undef, 0);

    while (1) {
        my $args = join('&', "limit=$limit", 'fields=message_type',
            $sort || (), defined $cursor ? "cursor=$cursor" : ());
        my $r = $c->request('POST', "/constraints?$args", body => '{}');
        my $data = $r->json;

        if ($r->status != 200) {
            fail("page: " . $r->body);
            last;
        }

        push @seen, map { $_->{message_type} } @{$data->{data}};
        $cursor = $data->{next};
        $pages++;
        last unless defined $cursor;
        $between->(\@seen) if $between;
    }

    return ($pages, @seen);
}

# a cursor is of its list and order

($status, $data) = list({}, 'limit=5&sort=message_type');
my $cursor = $data->{next};
is((list({}, "limit=5&sort=-message_type&cursor=$cursor"))[0], 400,
    'not of another order');
is((list({}, "limit=5&cursor=$cursor"))[0], 400, 'nor of none');
is((list({}, "limit=5&sort=message_type&cursor=$cursor", '/workflows'))[0],
    400, 'nor of another list');

# writes between pages

my $gone = 0;
my (undef, @seen) = walk('sort=-constraint_metadata.n', 20, sub {
    my ($seen) = @_;
    return if $gone++;
    $t->api('DELETE', "/constraint/$seen->[-1]");
    $t->api('DELETE', '/constraint/c100');
    $t->api('PUT', '/constraint/c249', { description => 'changed' });
});
is(join(' ', @seen), join(' ', reverse(grep { $_ ne 'c100' } map {
    sprintf('c%03d', $_) } 0 .. $N - 1)),
    'what a page ended with may go, what is ahead may go');

# a page is bounded in bytes

for my $i (0 .. 139) {
    my $r = $c->request('POST', '/constraint', body => '{"message_type":"z'
        . $i . '","subject_id":"*","dsl_workflow_id":"w",'
        . '"constraint_metadata":{"x":"' . 'x' x 65000 . '"}}');
    is($r->status, 201, "z$i") if $r->status != 201;
}

# (too large for JSON::PP to be quick)

my ($pages, @big) = (0);
$cursor = undef;
do {
    my $r = $t->post('/constraints?limit=1000&sort=message_type'
        . (defined $cursor ? "&cursor=$cursor" : ''),
        '{"constraint_metadata.x":{"$exists":true}}');
    is($r->status, 200, 'a page');
    cmp_ok(length($r->body), '<', 9 * 1024 * 1024, 'of so many bytes');
    push @big, $r->body =~ /"message_type":"(z\d+)"/g;
    ($cursor) = $r->body =~ /"next":"([^"]+)"\}$/;
} while (defined $cursor && $pages++ < 20);
is(join(' ', @big), join(' ', sort map { "z$_" } 0 .. 139),
    'all of them come');
cmp_ok($pages, '>', 0, 'on more than one page');

($status, $data) = list({}, 'sort=constraint_metadata.x&limit=250');
is($status, 400, 'values too long for a cursor');
like($data->{error}, qr/sort by shorter/, 'what would be right');

# workflows

($status, $data) = list({}, '', '/workflows');
is(join(' ', map { $_->{name} } @{$data->{data}}), 'v w', 'workflows');
is($data->{next}, undef, 'that is all');
($status, $data) = list({ 'document.description' => 'the w' },
    'fields=name', '/workflows');
is(json($data->{data}), '[{"name":"w"}]', 'by what is inside');
