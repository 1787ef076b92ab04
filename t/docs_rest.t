#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# docs/REST.md tells the truth: its examples are executed in order, its table
# of calls is the router's, its table of codes the sources'.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $text = slurp(root_dir() . '/docs/REST.md');

my $t = Test::Constraint->new(workers => 1)->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone catalogue:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api catalogue; }
    }
}
END


# --- examples ---------------------------------------------------------------

# examples(TEXT): { line, request, status, headers, answer }

sub examples {
    my ($text) = @_;

    my (@examples, $fence, $block);
    my $n = 0;

    for my $line (split(/\n/, $text)) {
        $n++;

        if (defined $fence) {
            if ($line =~ /^```$/) {
                if ($fence eq 'http') {
                    push @examples, { line => $n, request => $block };

                } elsif ($fence eq 'json') {
                    $examples[-1]{answer} = $block;
                }

                $fence = undef;

            } else {
                $block .= "$line\n";
            }

        } elsif ($line =~ /^```(\w*)/) {
            ($fence, $block) = ($1, '');

        } elsif (@examples && !$examples[-1]{status}
            && $line =~ /^Answers (\d{3})\b/)
        {
            $examples[-1]{status} = $1;
            $examples[-1]{headers} = { $line =~ /`([\w-]+): ([^`]+)`/g };
        }
    }

    return @examples;
}


# differs(GOT, WANT, AT): where an answer is not as written, or nothing

sub differs {
    my ($got, $want, $at) = @_;

    return if defined $want && !ref($want) && $want eq '...';

    if (ref($want) eq 'HASH') {
        return "$at is no object" unless ref($got) eq 'HASH';

        my %want = %$want;
        my $more = delete $want{'...'};

        for my $name (sort keys %want) {
            return "$at.$name is missing" unless exists $got->{$name};
            my $difference = differs($got->{$name}, $want{$name},
                "$at.$name");
            return $difference if $difference;
        }

        return if $more;

        for my $name (sort keys %$got) {
            return "$at.$name is not told" unless exists $want{$name};
        }

        return;
    }

    if (ref($want) eq 'ARRAY') {
        return "$at is no array" unless ref($got) eq 'ARRAY';

        my @want = @$want;
        my $more = @want && !ref($want[-1]) && $want[-1] eq '...'
            && pop(@want);

        return "$at has " . @$got . ' elements'
            if @$got < @want || (@$got > @want && !$more);

        for my $i (0 .. $#want) {
            my $difference = differs($got->[$i], $want[$i], "$at\[$i]");
            return $difference if $difference;
        }

        return;
    }

    return if json($got) eq json($want);
    return "$at is " . json($got);
}

is(differs({ a => [ 1, 2 ], b => 3 }, { a => [ 1, '...' ],
    '...' => '...' }, '$'), undef, 'wildcards match');
is(differs({ a => 1 }, { a => 2 }, '$'), '$.a is 1', 'a difference is seen');
is(differs({ a => 1 }, {}, '$'), '$.a is not told', 'so is a member more');
is(differs([ 1, 2 ], [ 1 ], '$'), '$ has 2 elements', 'or an element');


my @examples = examples($text);
my ($etag, $next) = ('', '');

cmp_ok(scalar(@examples), '>', 25, 'there are examples');

for my $example (@examples) {
    my ($first, $rest) = $example->{request} =~ /^([^\n]*)\n(.*)$/s;
    my ($method, $path) = split(/ /, $first);
    my ($head, $body) = split(/^\n/m, $rest, 2);

    $head //= '';
    s/\{etag\}/$etag/g, s/\{next\}/$next/g for $path, $head;

    my %headers = $head =~ /^([\w-]+): (.*)$/mg;
    $headers{'Content-Type'} //= 'application/json' if defined $body;

    my $r = $t->request($method, $path, headers => \%headers, body => $body);
    my $at = "REST.md:$example->{line}: $method $path";

    is($r->status, $example->{status}, $at) or diag($r->body);

    for my $name (sort keys %{$example->{headers}}) {
        my $want = quotemeta($example->{headers}{$name});
        $want =~ s/\\\.\\\.\\\./.+/;
        like($r->header($name) // '', qr/^$want$/, "$at: $name");
    }

    if (defined $example->{answer}) {
        my $want = JSON::PP->new->utf8->decode($example->{answer});
        is(differs($r->json, $want, '$'), undef, "$at: the answer")
            or diag($r->body);

    } else {
        is($r->body, '', "$at: no body");
    }

    $etag = $r->header('ETag') if $r->header('ETag');
    $next = $r->json->{next} if ref($r->json) && $r->json->{next};
}


# --- tables -----------------------------------------------------------------

my $dir = root_dir() . '/src/api';

my (%calls, %told);
my $router = slurp("$dir/ngx_http_constraint_api_router.c");

# fault injection is of test builds

$router =~ s/#if \(NGX_CONSTRAINT_FAULTS\).*?#endif//s;

while ($router =~ /\{ "(.+?)", NGX_HTTP_(\w+),\s+\w+_API_([A-Z]+),/g)
{
    $calls{"$2 $1"} = lc($3);
}

$told{$1} = $2
    while $text =~ /^\| `((?:GET|POST|PUT|DELETE) [^`]+)` \| (\w+) /mg;

cmp_ok(scalar(keys %calls), '>', 10, 'the router has calls');
is(json(\%told), json(\%calls), 'the table of calls is the router\'s');

my (%codes, %listed);
my %status = (BAD_REQUEST => 400, FORBIDDEN => 403, NOT_FOUND => 404,
    NOT_ALLOWED => 405, REQUEST_TIME_OUT => 408, CONFLICT => 409,
    PRECONDITION_FAILED => 412, REQUEST_ENTITY_TOO_LARGE => 413,
    UNSUPPORTED_MEDIA_TYPE => 415, INTERNAL_SERVER_ERROR => 500,
    SERVICE_UNAVAILABLE => 503, INSUFFICIENT_STORAGE => 507);

my $answer = slurp("$dir/ngx_http_constraint_api_answer.c");

while ($answer =~ /\{ "([A-Z]\w+)", (?:NGX_HTTP_(\w+)|(\d+)) \}/g) {
    $codes{$1} = $3 // $status{$2};
}

$listed{$1} = $2 while $text =~ /^\| `([A-Z]\w+)` \| (\d{3}) /mg;

cmp_ok(scalar(keys %codes), '>', 20, 'the sources have codes');
is(json(\%listed), json({ map { $_ => "$codes{$_}" } keys %codes }),
    'the table of codes is the sources\'');
