#!/usr/bin/env bash
# Installs what the benchmark needs, builds it, runs all of it, and replaces the figures: pages and pictures under
# tests/bench/results, tables in BENCHMARKS.md. It takes about half an hour and wants a machine that does nothing else.
# Arguments go to the program: families, --row, --only, --quick, --rounds, --sample, as its --help says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

../servers.sh
missing=()
[ -e /usr/include/hiredis/hiredis.h ] || missing+=(libhiredis-dev)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v ip >/dev/null || missing+=(iproute2)
command -v redis-benchmark >/dev/null || missing+=(redis-tools)
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
cargo build --release --locked
exec target/release/redstart-bench --save results "$@"
