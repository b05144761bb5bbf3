#!/bin/bash
# Prometheus' own checker finds nothing to say about the pages of the examples, after requests of every kind of
# outcome. scripts/check --peers installs it.
set -eu
command -v promtool > /dev/null || { echo "SKIP: promtool is not installed: scripts/check --peers does that"; exit 77; }
command -v curl > /dev/null || { echo "SKIP: there is no curl"; exit 77; }
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" || true; rm -rf "$work"' EXIT

# The address in the log line with the message $1.
find_address() {
    sed -n "s/.*\"msg\":\"$1\".*\"address\":\"\([^\"]*\)\".*/\1/p" "$work/log"
}

await_start() {
    for _ in {1..600}; do
        [ -z "$(find_address "admin pages")" ] || return 0
        kill -0 "$pid" || break
        read -rt 0.1 <> <(:) || true
    done
    echo "The example has not started:"
    cat "$work/log"
    return 1
}

check_example() { # program settings...
    local program=$1
    shift
    : > "$work/log" # it has the addresses of the example before, and the next one opens it later
    env -C "$work" SVC_LISTEN=127.0.0.1:0 SVC_ADMIN_LISTEN=127.0.0.1:0 SVC_LOG_FORMAT=json SVC_DRAIN_DELAY_MS=0 \
        SVC_METRICS_BODY_SIZES=on "$@" "$top_builddir/examples/$program" > "$work/log" 2>&1 &
    pid=$!
    await_start
    for request in "GET /" "GET /hello/ada" "GET /notes" "POST /notes" "GET /reports" "POST /reports" "BREW /none"; do
        curl -s -o "$work/answer" -X "${request% *}" "http://$(find_address listening)${request#* }"
    done
    curl -sf "http://$(find_address "admin pages")/metrics" > "$work/page"
    kill "$pid"
    wait "$pid"
    pid=
    echo "$program: $(grep -c '^# TYPE ' "$work/page") metrics"
    promtool check metrics < "$work/page"
}

check_example hello
check_example notes/notes
check_example reports/reports
