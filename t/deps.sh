#!/usr/bin/env bash
# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the Debian packages that a job needs and that are not there yet:
#
#     t/deps.sh build|quickstart|test|conformance|matrix|bench ...
#
# Prints nothing when all are there.  Needs root or sudo only to install.

set -eu

build="nginx nginx-dev gcc g++ make dpkg-dev libc6-dev libjansson-dev
       liblmdb-dev libyaml-dev libre2-dev libsimdjson-dev ca-certificates"
quickstart="curl util-linux"
test="perl xz-utils curl util-linux procps prometheus"
conformance="nodejs npm"
matrix="clang valgrind"
bench="wrk"

wanted=

for set in "$@"; do
    case "$set" in
        build)       wanted="$wanted $build" ;;
        quickstart)  wanted="$wanted $quickstart" ;;
        test)        wanted="$wanted $test" ;;
        conformance) wanted="$wanted $conformance" ;;
        matrix)      wanted="$wanted $matrix" ;;
        bench)       wanted="$wanted $bench" ;;
        *)           echo "deps.sh: unknown set \"$set\", must be build," \
                          "quickstart, test, conformance, matrix or bench" >&2
                     exit 2 ;;
    esac
done

missing=

for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) \
        || status=none

    if [ "$status" != installed ]; then
        missing="$missing $package"
    fi
done

if [ -z "$missing" ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "deps.sh: these Debian packages are missing and there is no" \
         "apt-get to install them:$missing" >&2
    exit 1
fi

sudo=

if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps.sh: run this as root (there is no sudo), or install:" \
             "apt-get install$missing" >&2
        exit 1
    fi

    sudo=sudo
fi

echo "installing:$missing"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing >"$log" 2>&1
}

# package lists may be absent (a fresh image) or old (a file has moved on)

if ! install; then
    $sudo apt-get update >"$log" 2>&1 || true

    if ! install; then
        tail -n 20 "$log" >&2
        echo "deps.sh: could not install:$missing" >&2
        exit 1
    fi
fi
