package Test::Constraint::Conf;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What `nginx -t` says of one directive in one place.  Starts nothing.
#
#     my $c = Test::Constraint::Conf->new();
#     $c->good('server', 'constraint_timeout 1s;');
#     $c->bad('main', 'constraint_timeout 1s;', qr/not allowed here/);
#     like($c->said, qr/\[warn\]/, 'it warns');

use warnings;
use strict;

use Test::More;
use parent -norequire, 'Test::Constraint';
use Test::Constraint ();


# check(WHERE, TEXT): WHERE is main, http, server, location or zone (instead
# of the usual constraint_zone); gives (is it good, what nginx said)

sub check {
    my ($self, $where, $text) = @_;

    my %at = map { $_ => '' } qw(main http server location zone);

    die "no place \"$where\"\n" unless exists $at{$where};

    $at{zone} = 'constraint_zone z:8m path=%%TESTDIR%%/store;';
    $at{$where} = $text;

    $self->conf(<<END);
%%GLOBALS%%
$at{main}
events { }
http {
    %%GLOBALS_HTTP%%
    $at{zone}
    $at{http}
    server {
        listen 127.0.0.1:%%PORT%%;
        $at{server}
        location / {
            $at{location}
        }
    }
}
END

    # nginx frees nothing when it refuses a configuration

    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';

    (my $good, $self->{said}) = $self->test_conf();

    return ($good, $self->{said});
}


# refusals are what is looked for

sub new {
    my ($class, @args) = @_;
    return $class->SUPER::new(@args)->allow(qr/\[emerg\]/);
}


sub said { return $_[0]{said} }


sub good {
    my ($self, $where, $text, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($good, $said) = $self->check($where, $text);
    ok($good, $name // "in $where: $text") or diag($said);
}


sub bad {
    my ($self, $where, $text, $pattern, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($good, $said) = $self->check($where, $text);

    if ($good) {
        fail(($name // "in $where: $text") . ' is refused');
        return;
    }

    like($said, $pattern, $name // "in $where: $text");
}


1;
