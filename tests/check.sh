#!/usr/bin/env bash
# Everything that must hold before a change lands: style, documentation, purity, budgets and all tests,
# hermetic and live. It installs the servers that it needs and ends with "N passed, M failed", counting tests
# and steps; any failure makes it exit with an error.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

passed=0
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# step NAME COMMAND...: runs the command and counts it; its output is shown only if it fails.
step() {
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($((SECONDS - start)) s)"
    else
        failed=$((failed + 1))
        cat "$log"
        echo "FAILED  $name ($((SECONDS - start)) s)"
    fi
}

# Without a fallible part: what a shipped library must never do, tests and examples aside.
shipped=(-p redstart-core -p redstart-tokio -p redstart-async-std -p redstart-blocking)
no_panics() { # [OPTIONS OF CARGO]
    cargo clippy "${shipped[@]}" --lib "$@" -- -D warnings -D clippy::unwrap_used -D clippy::panic \
        -D clippy::todo -D clippy::unimplemented -D clippy::exit -D clippy::dbg_macro \
        -D clippy::print_stdout -D clippy::print_stderr
}

# The build without std proves that the machines do no I/O, provided that the crate really goes without.
builds_without_std() {
    grep -qE '^#!\[(cfg_attr\(not\(feature = "std"\), )?no_std\)?\]' core/src/lib.rs \
        || { echo "core/src/lib.rs does not say no_std"; return 1; }
    cargo build -p redstart-core --no-default-features
}

# With std on, nothing but client/ and drive/ may name a clock, a socket or a thread; nor a map whose order is
# chance, except to read one as a reply.
pure_in() {
    ! grep -rnE "$1" core/src --include='*.rs' | grep -vE "^core/src/(client|drive|guide)(/|\.rs:)|:[0-9]+: *//${2:-}"
}
machines_are_pure() {
    pure_in 'std::(net|time|thread)\b|Instant::now|SystemTime' \
        && pure_in 'HashMap|HashSet' '|^core/src/command/collections\.rs:'
}

# lines_within FOLDER MAX: lines of code, blank lines and // comments aside.
lines_within() {
    local lines
    lines=$(find "$1/src" -name '*.rs' -exec cat {} + | grep -cvE '^\s*(//|$)')
    echo "$1 has $lines lines of code, its budget is $2"
    [ "$lines" -le "$2" ]
}

# dependencies_within PACKAGE MAX [OPTIONS OF CARGO]: crates that a user of the package compiles, Redstart's own
# aside.
dependencies_within() {
    local tree
    tree=$(cargo tree -e normal --prefix none -p "$1" "${@:3}") || return 1
    tree=$(awk '$1 !~ /^redstart-/ { print $1, $2 }' <<<"$tree" | sort -u)
    echo "$tree"
    echo "$1 has $(wc -l <<<"$tree") dependencies, its budget is $2"
    [ "$(wc -l <<<"$tree")" -le "$2" ]
}

# run_groups OPTIONS...: runs the tests that each of these options of Cargo selects, side by side, and shows what the
# runners say. The limit is for a test that hangs.
run_groups() {
    local options job status=0 jobs=() logs=()
    for options in "$@"; do
        logs+=("$log.${#logs[@]}")
        # shellcheck disable=SC2086
        (set -f; timeout -k 10 900 cargo test --quiet --workspace --no-fail-fast $options) >"${logs[-1]}" 2>&1 &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || status=$?
    done
    cat "${logs[@]}"
    rm -f "${logs[@]}"
    return "$status"
}

# First what takes both cores, then what mostly waits for servers. Counts what the runners count.
run_tests() {
    local status=0 counts
    {
        run_groups "--lib --bins --examples" "--doc" "--test sim_*" || status=$?
        run_groups "--test [a-l]*" "--test [m-r]* --test s[a-hj-z]* --test [t-z]*" || status=$?
        exit "$status"
    } | tee "$log"
    status=${PIPESTATUS[0]}
    counts=$(awk '/^test result: / { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$log")
    read -r tests_passed tests_failed tests_ignored <<<"$counts"
    passed=$((passed + tests_passed))
    failed=$((failed + tests_failed))
    step "tests: $tests_passed passed, $tests_failed failed, $tests_ignored ignored, exit status $status" \
        test "$status" -eq 0 -a "$tests_passed" -gt 0 -a "$tests_ignored" -eq 0
}

step "servers" tests/servers.sh
step "lock file" cargo metadata --locked --format-version 1
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets -- -D warnings
step "no panics in the libraries" no_panics
step "no panics in the libraries with TLS" no_panics --features redstart-core/tls
step "documentation" env RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
step "core builds without std" builds_without_std
step "the machines are pure" machines_are_pure
step "lines of runtime-tokio" lines_within runtime-tokio 250
step "lines of runtime-async-std" lines_within runtime-async-std 250
step "lines of runtime-blocking" lines_within runtime-blocking 580
step "dependencies of core" dependencies_within redstart-core 14
step "dependencies of blocking" dependencies_within redstart-blocking 20
step "dependencies of tokio" dependencies_within redstart-tokio 25
step "dependencies of tokio with TLS" dependencies_within redstart-tokio 42 --features tls
step "settings without TLS" cargo test --quiet -p redstart-core --lib config::
step "costs of operations" cargo run -q --release -p redstart-costs
step "tests build" cargo test --workspace --no-run
run_tests

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
