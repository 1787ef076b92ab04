package Test::Constraint::Gate;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A gate before a recording backend: the configuration that the gate's tests
# have in common, and short ways to register what they need.  Decides nothing
# about what is right.
#
#     my $t = Test::Constraint::Gate->start(<<'END', http => '...');
#     location / { constraint x; proxy_pass http://backend; }
#     END
#     $t->register('x', "request.method == 'GET'");

use warnings;
use strict;

use parent -norequire, 'Test::Constraint';
use Test::Constraint ();


# start(LOCATIONS, http => TEXT, server => TEXT, reply => CODE, workers => N,
# need => [...], main => TEXT)

sub start {
    my ($class, $locations, %opt) = @_;

    my $self = $class->setup($locations, %opt);
    $self->run();
    return $self;
}


sub setup {
    my ($class, $locations, %opt) = @_;

    my $self = $class->new(workers => $opt{workers} // 1,
        need => $opt{need} // [], pools => $opt{pools} // 1);

    my ($main, $http, $server) = map { $opt{$_} // '' }
        qw(main http server);

    $self->{backend} = $self->backend('B', $opt{reply});

    $self->conf(<<END);
%%GLOBALS%%
$main
events { worker_connections 256; }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    upstream backend { server 127.0.0.1:%%PORT_B%%; }
    $http
    server {
        listen 127.0.0.1:%%PORT_API%%;
        location / { constraint_api z; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_H2%% http2;
        $server
        $locations
    }
}
END

    return $self;
}


# register(TYPE, EXPRESSION, FIELDS...): a constraint whose workflow is one
# output

sub register {
    my ($self, $type, $expression, %fields) = @_;

    return $self->register_document($type, {
        name => "${type}_flow",
        rule => { match => [ { output => $expression } ] },
    }, %fields);
}


sub register_document {
    my ($self, $type, $document, %fields) = @_;

    my ($status, $answer) = $self->api('POST', '/workflow', $document);

    if ($status != 201) {
        die "workflow of $type: $status "
            . Test::Constraint::json($answer) . "\n";
    }

    ($status, $answer) = $self->api('POST', '/constraint', {
        message_type => $type,
        subject_id => '*',
        dsl_workflow_id => $document->{name},
        constraint_metadata => {},
        %fields,
    });

    if ($status != 201) {
        die "constraint $type: $status "
            . Test::Constraint::json($answer) . "\n";
    }

    return $self;
}


# fault(NAME, VALUE): of builds with faults

sub fault {
    my ($self, $name, $value) = @_;

    my ($status) = $self->api('PUT', "/fault/$name", { value => $value });
    die "fault $name: $status\n" unless $status == 200;

    return $self;
}


1;
