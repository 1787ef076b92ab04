package Variants;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What the benchmark compares: the policies, the configuration of every gate,
# and the requests sent to it.  The same two questions are put to all that can
# answer them:
#
#   header  method in two, path under /api/, role in three, and the
#           organisation of a header equal to segment 2 of the path
#   body    of 1 KB of JSON: a type equal, a value at most 5, a list that
#           contains, an e-mail address that matches a pattern

use warnings;
use strict;

use JSON::PP;

my $EMAIL = '^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,12}$';
my $MODULES = '/usr/lib/nginx/modules';


# --- policies ---------------------------------------------------------------

sub policies {
    my $email = $EMAIL =~ s/\\/\\\\/gr;

    return (
        { name => 'bench_header', rule => { match => [
            { condition => "request.method in ['GET', 'HEAD']"
                . " && request.path.startsWith('/api/')"
                . " && request.headers['x-role']"
                . " in ['viewer', 'editor', 'admin']"
                . " && request.path.startsWith('/api/'"
                . " + request.headers['x-org'] + '/')",
              output => "'ALLOW'" },
            { output => "'DENY'" } ] } },

        { name => 'bench_body', rule => { match => [
            { condition => "input.policy.type == 'ACCESS'"
                . " && input.policy.value <= 5"
                . " && 'internal' in input.policy.tags"
                . " && input.policy.owner.matches('$email')",
              output => "'ALLOW'" },
            { output => "'DENY'" } ] } },

        # far more work than any deadline leaves room for

        { name => 'bench_runaway', rule => { match => [
            { condition => 'input.items.all(a, input.items.all(b,'
                . ' input.items.all(c, a + b + c >= 0)))',
              output => "'ALLOW'" },
            { output => "'DENY'" } ] } },
    );
}


sub constraint {
    my ($name, $workflow, @more) = @_;

    return {
        message_type => $name,
        subject_id => '*',
        dsl_workflow_id => $workflow,
        description => "one of many, all of them enabled",
        constraint_metadata => { team => 'bench', tier => 2,
            contact => 'bench@example.com' },
        @more,
    };
}


# constraints(COUNT): bench.header is the one in the middle

sub constraints {
    my ($count) = @_;

    my @names = map { sprintf('bench.%05d', $_) } 1 .. $count;
    $names[$count / 2] = 'bench.header';

    return map { constraint($_, 'bench_header') } @names;
}


# --- requests ---------------------------------------------------------------

sub body {
    my $policy = {
        type => 'ACCESS',
        value => 3,
        tags => [ qw(internal reviewed finance) ],
        owner => 'jane.doe@example.com',
        conditions => [ map { { field => "field_$_", operator => 'equals',
            value => "value of the field number $_" } } 1 .. 10 ],
    };

    my $text = JSON::PP->new->canonical->encode({ policy => $policy,
        note => '' });
    my $pad = 'x' x (1024 - length($text));

    return JSON::PP->new->canonical->encode({ policy => $policy,
        note => $pad });
}


my $GET = <<'END';
wrk.path = "/api/acme/items/17"
wrk.headers["X-Role"] = "editor"
wrk.headers["X-Org"] = "acme"
wrk.headers["User-Agent"] = "bench/1.0"
wrk.headers["Accept"] = "application/json"
END


sub get { return $GET }


# named(COUNT): every constraint's name in turn, in a header

sub named {
    my ($count) = @_;

    return $GET . <<END;
local names, next = {}, 0

function init(args)
    for i = 1, $count do
        local name = string.format("bench.%05d", i)
        if i == $count / 2 + 1 then name = "bench.header" end
        wrk.headers["X-Type"] = name
        names[i] = wrk.format(nil, "/api/acme/items/17")
    end
end

function request()
    next = next % $count + 1
    return names[next]
end
END
}


sub post {
    my $body = body();

    return <<END;
wrk.method = "POST"
wrk.path = "/api/acme/policies"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "bench/1.0"
wrk.body = [[$body]]
END
}


sub runaway {
    my ($path) = @_;
    my $body = JSON::PP->new->encode({ items => [ 1 .. 1000 ] });

    return <<END;
wrk.method = "POST"
wrk.path = "$path"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[$body]]
END
}


# paced(MS): a pause before each request of a connection

sub paced {
    my ($ms) = @_;
    return "$GET\nfunction delay() return $ms end\n";
}


# --- configurations ---------------------------------------------------------

sub upstream {
    my ($port) = @_;

    return <<END;
    upstream backend {
        server 127.0.0.1:$port;
        keepalive 128;
        keepalive_requests 1000000000;
    }
END
}


sub location {
    my ($inside, $path) = @_;

    $path //= '/api/';

    return <<END;
        location $path {
            $inside
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
END
}


sub server {
    my ($port, @locations) = @_;

    return "    server {\n        listen 127.0.0.1:$port;\n"
        . join('', @locations) . "    }\n";
}


sub backend {
    my ($port) = @_;

    return server($port,
        "        location / { return 200 '{\"ok\": true}'; }\n",
        "        location = /decide { return 204; }\n");
}


# constraint_main(MODULE, THREADS), constraint_http(API PORT, DIR, ZONE SIZE)

sub constraint_main {
    my ($module, $threads) = @_;

    return "load_module $module;\n" . threads($threads);
}


# threads(COUNT): the pools alone, which are nginx's own

sub threads {
    my ($threads) = @_;

    $threads //= 4;

    return "thread_pool constraint threads=$threads;\n"
        . "thread_pool constraint_store threads=1;\n";
}


sub constraint_http {
    my ($port, $dir, $size) = @_;

    return "    constraint_zone bench:$size path=$dir/store;\n"
        . server($port, "        location / { constraint_api bench; "
            . "allow 127.0.0.1; deny all; }\n");
}


# nginx's own means: no body, and the path by a regular expression

sub map_http {
    return <<'END';
    map $request_method $bench_method { default 0; GET 1; HEAD 1; }
    map $http_x_role $bench_role { default 0; viewer 1; editor 1; admin 1; }
    map "$http_x_org|$uri" $bench_org {
        default 0;
        "~^([^|/]+)\|/api/\1/" 1;
    }
END
}


sub map_location {
    return <<'END';
if ($bench_method = 0) { return 403; }
            if ($bench_role = 0) { return 403; }
            if ($bench_org = 0) { return 403; }
END
}


# lua(), njs(): undef where they are not installed

sub lua {
    return undef unless -f "$MODULES/ngx_http_lua_module.so";

    my $header = <<'END';
access_by_lua_block {
                local m = ngx.req.get_method()
                local path = ngx.var.uri
                local h = ngx.req.get_headers()
                local role, org = h["x-role"], h["x-org"]
                if (m ~= "GET" and m ~= "HEAD")
                   or string.sub(path, 1, 5) ~= "/api/"
                   or (role ~= "viewer" and role ~= "editor"
                       and role ~= "admin")
                   or type(org) ~= "string"
                   or string.sub(path, 6, 6 + #org) ~= org .. "/"
                then
                    return ngx.exit(403)
                end
            }
END

    my $body = <<END;
access_by_lua_block {
                ngx.req.read_body()
                local data = ngx.req.get_body_data()
                local ok, input = pcall(require("cjson").decode, data)
                local p = ok and input.policy
                local found = false
                if p then
                    for _, tag in ipairs(p.tags) do
                        if tag == "internal" then found = true break end
                    end
                end
                if not (found and p.type == "ACCESS" and p.value <= 5
                        and ngx.re.match(p.owner, [[$EMAIL]], "jo"))
                then
                    return ngx.exit(403)
                end
            }
END

    my @cjson = glob('/usr/lib/*/lua/5.1/cjson.so');

    return {
        main => "load_module $MODULES/ndk_http_module.so;\n"
            . "load_module $MODULES/ngx_http_lua_module.so;\n",
        header => $header,
        body => @cjson ? $body : undef,
    };
}


# njs has no phase of its own for access: its handler answers a subrequest of
# auth_request, or chooses the content by an internal redirect; the latter is
# the cheaper one and is used here

sub njs {
    my ($dir) = @_;

    return undef unless -f "$MODULES/ngx_http_js_module.so";

    my $script = <<END;
function header(r) {
    const org = r.headersIn['x-org'];
    const ok = (r.method == 'GET' || r.method == 'HEAD')
        && r.uri.startsWith('/api/')
        && ['viewer', 'editor', 'admin'].includes(r.headersIn['x-role'])
        && org && r.uri.startsWith('/api/' + org + '/');
    return ok ? r.internalRedirect('\@pass') : r.return(403);
}

const email = /$EMAIL/;

function body(r) {
    let p;
    try { p = JSON.parse(r.requestText).policy; } catch (e) { p = null; }
    const ok = p && p.type == 'ACCESS' && p.value <= 5
        && p.tags.includes('internal') && email.test(p.owner);
    return ok ? r.internalRedirect('\@pass') : r.return(403);
}

export default { header, body };
END

    return {
        main => "load_module $MODULES/ngx_http_js_module.so;\n",
        http => "    js_path $dir/;\n    js_import bench from bench.js;\n",
        script => $script,
        header => '        location /api/ { js_content bench.header; }' . "\n",
        body => '        location /api/ { js_content bench.body; }' . "\n",
    };
}


1;
