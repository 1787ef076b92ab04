#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Facts of a TLS connection.  nginx is its own client: a first server passes
# requests on to the gate over TLS, with and without a certificate.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $openssl = `openssl version 2>/dev/null`;

plan(skip_all => 'needs the openssl command') unless $openssl;

my $t = Test::Constraint::Gate->setup(<<'END', http =>
proxy_ssl_session_reuse off;

location / {
    proxy_pass https://127.0.0.1:%%PORT_TLS%%;
    proxy_ssl_server_name on;
    proxy_ssl_name gate.example;
}
location /known {
    proxy_pass https://127.0.0.1:%%PORT_TLS%%;
    proxy_ssl_certificate %%TESTDIR%%/client.crt;
    proxy_ssl_certificate_key %%TESTDIR%%/client.key;
    proxy_ssl_protocols TLSv1.2;
}
location /stranger {
    proxy_pass https://127.0.0.1:%%PORT_TLS%%;
    proxy_ssl_certificate %%TESTDIR%%/stranger.crt;
    proxy_ssl_certificate_key %%TESTDIR%%/stranger.key;
}
END
    'server {
        listen 127.0.0.1:%%PORT_TLS%% ssl;
        ssl_certificate %%TESTDIR%%/client.crt;
        ssl_certificate_key %%TESTDIR%%/client.key;
        ssl_client_certificate %%TESTDIR%%/client.crt;
        ssl_verify_client optional_no_ca;
        location / {
            constraint tls;
            proxy_set_header X-Value $constraint_output_v;
            proxy_pass http://backend;
        }
    }');

my $dir = $t->testdir();

for my $name (qw(client stranger)) {
    system("openssl req -x509 -nodes -newkey rsa:2048 -days 2 "
        . "-subj /O=Example/CN=$name -keyout $dir/$name.key "
        . "-out $dir/$name.crt >/dev/null 2>&1") == 0
        or plan(skip_all => 'openssl makes no certificate');
}

$t->run();
$t->register('tls', <<'END');
{'effect': 'allow', 'output': {'v': [connection.tls_version, connection.sni,
    connection.subject_peer_certificate, string(connection.mtls),
    request.scheme]}}
END

sub value {
    my ($path) = @_;
    my $b = $t->{backend};

    $b->clear();
    is($t->get($path)->status, 200, "$path passes");
    my ($value) = $b->header($b->last, 'X-Value');

    return JSON::PP->new->decode($value // '[]');
}

my $v = value('/');
like($v->[0], qr/^TLSv1\.[23]$/, 'the version');
is($v->[1], 'gate.example', 'the server name');
is($v->[2], '', 'no certificate');
is($v->[3], 'false', 'so it is not mutual');
is($v->[4], 'https', 'the scheme');

$v = value('/known');
is($v->[0], 'TLSv1.2', 'an older version');
is($v->[1], '', 'no server name');
is($v->[2], 'CN=client,O=Example', 'the subject of the certificate');
is($v->[3], 'true', 'which is verified');

$v = value('/stranger');
is($v->[2], 'CN=stranger,O=Example', 'the subject of another one');
is($v->[3], 'false', 'which is not');

done_testing();
