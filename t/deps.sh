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
test="perl xz-utils curl util-linux procps binutils openssl lmdb-utils
      prometheus"
conformance="nodejs npm"
matrix="clang libclang-rt-dev llvm valgrind"
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
    case "$missing " in
        *" $package "*) continue ;;
    esac

    # who has Node.js from elsewhere has npm with it, and no package of that
    # name can be installed beside it

    if [ "$package" = npm ] && command -v npm >/dev/null; then
        continue
    fi

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

    # a password is asked for on the terminal, if there is one

    if ! said=$(sudo true 2>&1); then
        echo "deps.sh: run this as root ($(echo "$said" | tail -n 1))," \
             "or install: apt-get install$missing" >&2
        exit 1
    fi

    sudo=sudo
fi

echo "installing:$missing"

log=$(mktemp "${TMPDIR:-/tmp}/constraint-deps.XXXXXX")


# apt ARGS...: a machine that has just started may be busy with updates

apt() {
    $sudo env LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}

install() {
    apt install -y --no-install-recommends $missing
}


# reason: why apt failed, in its own words; what could not be fetched explains
# what cannot be found, and a package's own script what dpkg says of it

reason() {
    local line

    line=$(grep -E '^[EW]: Failed to fetch ' "$log" | tail -n 1)
    [ -n "$line" ] || line=$(grep -E '^dpkg: error' "$log" | tail -n 1)
    [ -n "$line" ] || line=$(grep -E '^E: ' "$log" | head -n 1)

    echo "${line:-apt-get says nothing}" | sed -E 's/^[EW]: //; s/  +/ /g'
}


# package lists may be absent (a fresh image) or old (a file has moved on)

if ! install; then
    : >"$log"

    if ! { apt update; install; }; then
        echo "deps.sh: could not install$missing: $(reason)" \
             "(all of it: $log)" >&2
        exit 1
    fi
fi

# the tests want the program of a package that is new here, not its service

case "$missing " in
    *" prometheus "*)
        if command -v systemctl >/dev/null; then
            $sudo systemctl disable --now prometheus >>"$log" 2>&1 || true
        fi ;;
esac

rm -f "$log"
