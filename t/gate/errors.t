#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Failures by name and class: what the request has caused is always refused,
# what is ours follows on_error, the record's before the directive's.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my @types = qw(unregistered disabled division badmap costly memory
    on_error_allow on_error_deny);

my $locations = join('', map { <<"END" } @types);
location /deny/$_ { constraint $_; proxy_pass http://backend; }
location /allow/$_ {
    constraint $_;
    constraint_on_error allow;
    proxy_pass http://backend;
}
END

my $t = Test::Constraint::Gate->start($locations . <<'END',
constraint_cost_limit 20000;
constraint_memory_limit 200k;
client_max_body_size 2m;

location /var { constraint $arg_type; proxy_pass http://backend; }
location /var_allow {
    constraint $arg_type;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /subject {
    constraint subject subject=$remote_user;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /body {
    constraint body;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /full {
    constraint division;
    constraint_deny_detail full;
    proxy_pass http://backend;
}
END
);

my $b = $t->{backend};

$t->register('disabled', 'true', enabled => JSON::PP::false);
$t->register('division', '1 / int(request.size) == 0');
$t->register('badmap', "dyn({'effect': request.method})");

# 'x' four times over grows: it costs and it takes memory

$t->register('costly', <<'END');
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(b,
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(c,
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(d,
                a + b + c + d + int(request.size) > 0))))
END
$t->register('memory', <<'END');
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(a,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(b,
        request.headers['x-large'] + 'x')).size() > 0
END
$t->register('on_error_allow', 'request.headers["x-no"] == ""',
    on_error => 'allow');
$t->register('subject', "subject.id == 'a' || true");
$t->register('body', "input.a == 1 || true");
$t->register('known', 'true');

my %large = (headers => { 'X-Large' => 'x' x 6000 });


# refused(PATH, STATUS, CODE, SENTENCE, REQUEST...)

sub refused {
    my ($path, $status, $code, $sentence, %opt) = @_;

    $b->clear();
    my $r = $t->request($opt{method} // 'GET', $path, %opt);

    is($r->status, $status, "$sentence: $status");
    is(($r->json // {})->{code}, $code, "$sentence: $code");
    is($b->count, 0, "$sentence: the service sees nothing");

    return $r;
}


sub allowed {
    my ($path, $sentence, %opt) = @_;

    $b->clear();
    my $r = $t->request($opt{method} // 'GET', $path, %opt);

    is($r->status, 200, "$sentence: passes");
    is($b->count, 1, "$sentence: the service sees it");
}


# ours

refused('/deny/unregistered', 403, 'ConstraintUnregistered',
    'a name that nobody has registered');
allowed('/allow/unregistered', 'the same with constraint_on_error allow');

refused('/deny/disabled', 403, 'ConstraintDisabled', 'a disabled one');
allowed('/allow/disabled', 'the same with constraint_on_error allow');

refused('/deny/costly', 403, 'CostExceeded', 'one that costs too much');
allowed('/allow/costly', 'the same with constraint_on_error allow');

refused('/deny/memory', 403, 'MemoryExceeded', 'one that takes too much',
    %large);
allowed('/allow/memory', 'the same with constraint_on_error allow', %large);

ok($t->wait_log(qr/\[error\] .*allowed "unregistered" by error/),
    'what is ours is logged as an error, allowed or not');

# the request's

refused('/deny/division', 403, 'EvaluationError', 'a division by zero');
refused('/allow/division', 403, 'EvaluationError',
    'the same with constraint_on_error allow');

my $r = refused('/full', 403, 'EvaluationError', 'the same with detail');
like($r->json->{decision}{error}{message}, qr/zero/,
    'which says why');
is($r->json->{decision}{error}{class}, 'request', 'and whose fault it is');

refused('/deny/badmap', 403, 'EnforcementFailure',
    'an output of no known effect');
refused('/allow/badmap', 403, 'EnforcementFailure',
    'the same with constraint_on_error allow');

# on_error of the record is about what is ours, no more

refused('/deny/on_error_allow', 403, 'EvaluationError',
    'a missing key, whatever on_error of the record says');

# message types of the request

refused('/var', 403, 'MessageTypeEmpty', 'an empty message type');
refused('/var_allow', 403, 'MessageTypeEmpty', 'the same with allow');
refused('/var?type=nobody', 403, 'MessageTypeUnknown', 'an unknown one');
refused('/var_allow?type=nobody', 403, 'MessageTypeUnknown',
    'the same with allow');
refused('/var?type=disabled', 403, 'MessageTypeUnknown', 'a disabled one');
refused('/var?type=' . 'x' x 300, 403, 'MessageTypeUnknown', 'a long one');
refused('/var?type=a%2fb', 403, 'MessageTypeUnknown', 'a strange one');
allowed('/var?type=known', 'a known one');

# subjects

refused('/subject', 403, 'SubjectMissing',
    'a missing subject that is read, whatever || makes of it');

# bodies

refused('/body', 400, 'BodyInvalid',
    'a broken body that is read, whatever || makes of it',
    method => 'POST', body => '{"a":1');
refused('/body', 413, 'BodyTooLarge', 'a large body', method => 'POST',
    body => '{}' . ' ' x 1100000);
allowed('/body', 'a good body', method => 'POST', body => '{"a":1}');

# the record's on_error and timeout

SKIP: {
    skip 'needs a build with fault directives', 8
        unless Test::Constraint::has_faults();

    my ($status) = $t->api('PUT', '/constraint/known',
        { on_error => 'allow' });
    is($status, 200, 'on_error of a record is set');

    $t->register('slow', 'true', on_error => 'deny');

    my $u = Test::Constraint::Gate->start(<<'END', need => ['faults']);
constraint_offload always;
location /record_allow {
    constraint record_allow;
    proxy_pass http://backend;
}
location /record_deny {
    constraint record_deny;
    constraint_on_error allow;
    proxy_pass http://backend;
}
END
    $u->register('record_allow', 'true', on_error => 'allow');
    $u->register('record_deny', 'true', on_error => 'deny');
    $u->get($_) for qw(/record_allow /record_deny);

    $u->fault('task.post_fails', 1);
    is($u->get('/record_allow')->status, 200,
        'on_error allow of the record comes before the directive');
    $r = $u->get('/record_deny');
    is($r->status, 403, 'on_error deny of the record does, too');
    is($r->json->{code}, 'QueueFull', 'for the full queue');
    $u->fault('task.post_fails', 0);
    is($u->get('/record_deny')->status, 200, 'and all is well afterwards');

    $u->fault('task.queue_full', 1);
    is($u->get('/record_deny')->json->{code}, 'QueueFull',
        'constraint_max_pending has the same end');
    $u->fault('task.queue_full', 0);
    is($u->get('/record_deny')->status, 200, 'and passes, too');
}

done_testing();
