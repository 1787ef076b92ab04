#!/usr/bin/env bash
# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# From a fresh clone to a gate that decides: installs what is missing, builds,
# starts nginx, registers a workflow and a constraint, and shows what passes.

set -eu

# what is made here is read by nginx's workers, who may be another user

umask 022

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build}
examples=$root/conf-examples
port=8000
action=start

if [ "$(id -u)" -eq 0 ]; then
    default=/var/lib/constraint-quickstart
else
    default=${XDG_DATA_HOME:-${HOME:-/tmp}/.local/share}/constraint-quickstart
fi

dir=$default

usage() {
    cat <<END
usage: conf-examples/quickstart.sh [OPTION]...

  --port N    listen on 127.0.0.1:N (8000); the demo's backend takes N + 1
  --dir DIR   keep configuration, logs and data in DIR
              ($dir)
  --stop      stop the server that was started with the same --dir
  --help      this text

Running it again builds what has changed and starts anew; data stays.
END
}

die() {
    echo "quickstart: $*" >&2
    exit 1
}


while [ $# -gt 0 ]; do
    case "$1" in
        --port)     [ $# -ge 2 ] || die "--port needs a number"
                    port=$2; shift ;;
        --port=*)   port=${1#*=} ;;
        --dir)      [ $# -ge 2 ] && [ -n "$2" ] || die "--dir needs a folder"
                    dir=$2; shift ;;
        --dir=*)    dir=${1#*=} ;;
        --stop)     action=stop ;;
        -h|--help)  usage; exit 0 ;;
        *)          die "unknown option \"$1\", see --help" ;;
    esac
    shift
done

case "$port" in
    ''|*[!0-9]*|0*|??????*)
        die "--port must be a number from 1 to 65534, not \"$port\"" ;;
esac

[ "$port" -le 65534 ] \
    || die "--port must be a number from 1 to 65534, not \"$port\""

[ -n "$dir" ] || die "--dir needs a folder"

case "$dir" in
    /*) ;;
    *)  dir=$PWD/$dir ;;
esac

case "$dir" in
    *[[:space:],\&\\\;{}]*)
        die "--dir must not hold spaces, commas, semicolons, braces, & or" \
            "backslashes: $dir" ;;
esac

# one folder has one name, whoever writes a slash behind it

dir=$(realpath -ms -- "$dir")

backend=$((port + 1))
url=http://127.0.0.1:$port


# running: the master that was started in this folder, or nothing

running() {
    local pid

    pid=$(cat "$dir/nginx.pid" 2>/dev/null) || return 1

    [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null < "/proc/$pid/cmdline" \
        | grep "^nginx: master process " | grep -qF " $dir/" || return 1

    echo "$pid"
}


stop() {
    local pid i

    pid=$(running) || return 1

    kill -QUIT "$pid" 2>/dev/null \
        || die "nginx (process $pid) belongs to another user, stop it as" \
               "that user"

    for ((i = 0; i < 100; i++)); do
        if ! running >/dev/null; then
            return 0
        fi

        sleep 0.1
    done

    kill -TERM "$pid"
    sleep 1

    ! running >/dev/null || die "nginx (process $pid) does not stop"
}


taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}


if [ "$action" = stop ]; then
    if stop; then
        echo "stopped, the data stays in $dir"
    else
        echo "nothing runs in $dir"
    fi

    exit 0
fi


# what has to be there

"$root/t/deps.sh" build quickstart || exit 1

mkdir -p "$dir" 2>/dev/null \
    || die "cannot create $dir, choose another place with --dir"

[ -O "$dir" ] && [ -w "$dir" ] \
    || die "$dir is not yours, choose another place with --dir"

"$root/t/build.sh" module >/dev/null || exit 1


# the server, anew; workers of root are another user, who must get in

if stop; then
    echo "stopped the server of an earlier run"
fi

user=()

if [ "$(id -u)" -eq 0 ]; then
    user=(-g "user www-data;")
    chmod 755 "$dir"

    setpriv --reuid=www-data --regid=www-data --clear-groups \
        test -x "$dir" \
        || die "www-data, as whom nginx works, cannot enter $dir," \
               "choose another place with --dir"
fi

for number in "$port" "$backend"; do
    if taken "$number"; then
        die "port $number is taken, choose another with --port" \
            "(two are used, N and N + 1)"
    fi
done

mkdir -p "$dir/modules" "$dir/temp"
cp "$build/ngx_http_constraint_module.so" "$dir/modules/.new"
mv "$dir/modules/.new" "$dir/modules/ngx_http_constraint_module.so"
cp "$examples/quickstart.users" "$dir/users"
sed "s/127\.0\.0\.1:8001/127.0.0.1:$backend/
     s/127\.0\.0\.1:8000/127.0.0.1:$port/
     s,path=/var/lib/constraint-quickstart/,path=$dir/," \
    "$examples/quickstart.conf" > "$dir/nginx.conf"

if ! said=$(cd "$dir" && PATH=$PATH:/usr/sbin nginx -p "$dir/" \
            -c "$dir/nginx.conf" -e "$dir/error.log" \
            ${user[@]+"${user[@]}"} 2>&1)
then
    case "$said" in
        *"Address already in use"*)
            die "port $port or $backend is taken, choose another with" \
                "--port" ;;
        *"bind() to "*"Permission denied"*)
            die "port $port needs root, or choose one over 1023 with" \
                "--port" ;;
        *)
            said=$(echo "$said" | grep -E '\[(emerg|alert)\]' | tail -n 1)
            die "nginx did not start, see $dir/error.log${said:+: $said}" ;;
    esac
fi

for ((i = 0; i < 100; i++)); do
    if taken "$port"; then
        break
    fi

    sleep 0.1
done


# exchange TITLE WANTED... -- CURL-ARGS...: one request and its answer, both
# printed; $status is left behind, and must be one of those WANTED

exchange() {
    local title=$1 wanted="" method=GET target="" type="" login="" body=""
    local answer

    shift

    while [ "$1" != -- ]; do
        wanted="$wanted $1"
        shift
    done

    shift
    method=$1
    target=$2
    shift 2

    # neither ~/.curlrc nor a proxy of the environment has a say here

    local args=(-q -sS --noproxy '*' -X "$method" --max-time 10
                -w '\n%{http_code}')

    while [ $# -gt 0 ]; do
        case "$1" in
            type)   type=$2; args+=(-H "Content-Type: $2") ;;
            login)  login=$2; args+=(-u "$2") ;;
            file)   body=$(cat "$2"); args+=(--data-binary "@$2") ;;
            body)   body=$2; args+=(--data-binary "$2") ;;
        esac
        shift 2
    done

    echo
    echo "# $title"
    echo
    echo "> $method $url$target"
    [ -z "$type" ] || echo "> Content-Type: $type"
    [ -z "$login" ] || echo "> user ${login%%:*}, password ${login#*:}"
    [ -z "$body" ] || echo "$body" | sed 's/^/> /'

    answer=$(curl "${args[@]}" "$url$target") \
        || die "no answer, see $dir/error.log"

    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    answer=${answer%$'\n'}

    echo "< $status"
    echo "$answer" | sed 's/^/< /'

    case "$wanted " in
        *" $status "*) ;;
        *)  die "expected$wanted, see $dir/error.log;" \
                "the server runs, --stop ends it" ;;
    esac
}

json=application/json
workflow=$examples/policy_workflow.yaml
constraint=$examples/policy_constraint.json

exchange "register a workflow: what is decided, and how" 201 409 -- \
    POST /workflow type application/yaml file "$workflow"

if [ "$status" = 409 ]; then
    exchange "it is there from an earlier run: store it anew" 200 -- \
        PUT /workflow/policy_workflow_v1 \
        type application/yaml file "$workflow"
fi

exchange "register a constraint: which messages it decides, for whom" \
    201 409 -- POST /constraint type $json file "$constraint"

if [ "$status" = 409 ]; then
    exchange "it is there from an earlier run: update it" 200 -- \
        PUT /constraint/policy_check type $json file "$constraint"
fi

exchange "execute it once, by hand" 200 -- \
    POST /constraint/execute/policy_check type $json body \
    '{"subject_id": "alice",
 "input_data": {"policy": {"type": "ACCESS", "value": 3}}}'

exchange "a request that passes the gate" 200 -- \
    POST /api/policies type $json login alice:secret body \
    '{"policy": {"type": "ACCESS", "value": 3}}'

exchange "a request that is refused" 403 -- \
    POST /api/policies type $json login alice:secret body \
    '{"policy": {"type": "ACCESS", "value": 9}}'

option=
[ "$dir" = "$default" ] || option=" --dir $(printf %q "$dir")"

cat <<END

The server runs: API at $url/, gated demo at $url/api/
Its configuration, log and data are in $dir

    $0$option --stop

stops it.
END
