#!/usr/bin/env bash
# Builds and runs an adapter's first example: tests/quickstart.sh [tokio|async-std|blocking]
#
# It talks to the server at $REDIS_URL; without one it starts a private redis-server, the one on PATH or else
# the tests' own, and stops it at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

adapter=${1:-tokio}
case $adapter in
    tokio | async-std | blocking) ;;
    *) echo "usage: $0 [tokio|async-std|blocking]" >&2; exit 2 ;;
esac

server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2>/dev/null' EXIT

answers() { # PORT
    local reply
    exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'PING\r\n' >&3 && read -r -t 1 -u 3 reply && [ "$reply" = $'+PONG\r' ]
} 2>/dev/null

# Sets $server and REDIS_URL.
start_server() {
    local program port
    program=$(command -v redis-server || true)
    if [ -z "$program" ]; then
        tests/servers.sh
        program=${REDSTART_SERVERS:-${CARGO_TARGET_DIR:-target}/servers}/7.0.15/redis-server
    fi
    # Below the range of outgoing connections.
    for port in $(shuf -i 10000-32000 -n 5); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
        "$program" --port "$port" --bind 127.0.0.1 --save '' --appendonly no >/dev/null &
        server=$!
        # Until it answers, or ends because somebody took the port meanwhile.
        for _ in $(seq 200); do
            kill -0 "$server" 2>/dev/null || break
            if (answers "$port"); then
                export REDIS_URL="redis://127.0.0.1:$port/"
                return
            fi
            sleep 0.05
        done
        kill "$server" 2>/dev/null || true
        echo "no answer from $program on port $port" >&2
        server=
    done
    echo "quickstart.sh: no redis-server could be started" >&2
    exit 1
}

if [ -z "${REDIS_URL:-}" ]; then
    start_server
fi
export REDIS_URL
cargo run -q -p "redstart-$adapter" --example "quickstart-$adapter"
