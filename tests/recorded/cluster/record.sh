#!/usr/bin/env bash
# Records what the nodes of real clusters answer, as it comes on the wire, next to this script:
#
#   VERSION-SCENE-respN.txt   the replies to [HELLO 3], CLUSTER SHARDS, CLUSTER SLOTS, CLUSTER INFO,
#                             GET of a key that another node serves, QUIT
#
# The servers are those of tests/servers.sh. Scenes: `fresh` a node alone, without slots; `settled` three
# primaries with a replica each; `hostnames` the same, names preferred, which one primary has none of;
# `unknown` the same, nothing known of hosts; `takeover` a replica has taken its primary's place and the old
# primary, alive, has just been told; `failed` a primary is dead and its replica promoted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
servers=${REDSTART_SERVERS:-${CARGO_TARGET_DIR:-$PWD/../../../target}/servers}
cli=$servers/7.0.15/redis-cli
ports=(7801 7802 7803 7804 7805 7806)
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
end() { kill -9 "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap end EXIT

start() { # VERSION PORT
    mkdir -p "$work/$2"
    "$servers/$1/redis-server" --port "$2" --cluster-port "$(($2 + 50))" --bind 127.0.0.1 --dir "$work/$2" \
        --cluster-enabled yes --cluster-node-timeout 1000 --cluster-replica-validity-factor 0 \
        --cluster-require-full-coverage no --repl-ping-replica-period 1 --repl-diskless-sync-delay 0 \
        --save "" --appendonly no >"$work/$2/log" 2>&1 &
    pids+=($!)
    until [ "$("$cli" -p "$2" ping 2>/dev/null)" = PONG ]; do sleep 0.05; done
}

# Whether `CLUSTER command` of every living node in $3... has a line that matches.
until_all() { # COMMAND PATTERN PORT...
    local command=$1 pattern=$2 port
    shift 2
    for port in "$@"; do
        until "$cli" -p "$port" cluster "$command" 2>/dev/null | grep -Eq "$pattern"; do sleep 0.05; done
    done
}

record() { # VERSION SCENE PORT
    local resp hello
    for resp in 2 3; do
        hello=
        [ $resp = 2 ] || hello='HELLO 3\r\n'
        exec 3<>"/dev/tcp/127.0.0.1/$3"
        # shellcheck disable=SC2059 # it holds \r\n
        printf "${hello}CLUSTER SHARDS\r\nCLUSTER SLOTS\r\nCLUSTER INFO\r\nGET foo\r\nQUIT\r\n" >&3
        cat <&3 >"$1-$2-resp$resp.txt"
        exec 3>&-
    done
}

for version in 7.0.15 8.2.3; do
    for port in "${ports[@]}"; do start $version "$port"; done
    record $version fresh 7801
    "$cli" --cluster create "${ports[@]/#/127.0.0.1:}" --cluster-replicas 1 --cluster-yes >"$work/create"
    until_all nodes 'slave .* connected' "${ports[@]}"
    until_all info 'cluster_state:ok' "${ports[@]}"
    until [ "$("$cli" -p 7801 cluster slots | grep -c '^780')" = 6 ]; do sleep 0.05; done
    record $version settled 7801

    for port in 7801 7803 7804 7805 7806; do
        "$cli" -p "$port" config set cluster-announce-hostname "node-$port.example" >/dev/null
    done
    until [ "$("$cli" -p 7801 cluster nodes | grep -c 'example')" = 5 ]; do sleep 0.05; done
    "$cli" -p 7801 config set cluster-preferred-endpoint-type hostname >/dev/null
    record $version hostnames 7801
    "$cli" -p 7801 config set cluster-preferred-endpoint-type unknown-endpoint >/dev/null
    record $version unknown 7801
    "$cli" -p 7801 config set cluster-preferred-endpoint-type ip >/dev/null

    replica=$("$cli" -p 7801 cluster nodes | awk -v id="$("$cli" -p 7803 cluster myid)" \
        '$4 == id { split($2, a, "[:@]"); print a[2] }')
    "$cli" -p "$replica" cluster failover takeover >/dev/null
    for _ in $(seq 400); do
        record $version takeover 7801
        if grep -aq "^-MOVED 12182 127.0.0.1:$replica" $version-takeover-resp2.txt; then break; fi
    done
    until_all nodes "$replica@.*[ ,]master" "${ports[@]}"
    until_all nodes "7803@.*[ ,]slave" "${ports[@]}"

    kill -9 "${pids[1]}"
    until "$cli" -p 7801 cluster nodes | grep -q '7802@.*master,fail ' \
        && [ "$("$cli" -p 7801 cluster nodes | grep -c 'master .*[0-9]-[0-9]')" = 3 ]; do sleep 0.05; done
    until_all info 'cluster_state:ok' 7801
    record $version failed 7801

    kill -9 "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    pids=()
    rm -rf "${work:?}"/*
done
