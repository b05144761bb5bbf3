#!/bin/bash
# The files of deploy/ work with Debian's Prometheus: promtool accepts them, the alerts pass their tests, and
# a Prometheus that reads them scrapes real services (live.py). scripts/check --peers sets PEERS and runs this.
set -eu
[ -n "${PEERS-}" ] || { echo "SKIP: Prometheus is a peer: scripts/check --peers starts it"; exit 77; }
otlp=$(echo "$top_builddir"/.libs/libsvc-otlp.so.[0-9])
library=$(echo "$top_builddir"/.libs/libsvc.so.[0-9])
redis=$(echo "$top_builddir"/.libs/libsvc-redis.so.[0-9])
[ -e "$otlp" ] && [ -e "$redis" ] || { echo "SKIP: there is no shared library libsvc-otlp or -redis"; exit 77; }
command -v redis-server > /dev/null || { echo "SKIP: redis-server is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export PYTHONDONTWRITEBYTECODE=1
promtool check config "$top_srcdir/deploy/prometheus/prometheus.yml"
promtool check rules "$top_srcdir/examples/reports/alerts.yml"
promtool test rules "$top_srcdir/deploy/prometheus/alerts_test.yml"
promtool test rules "$top_srcdir/examples/reports/alerts_test.yml"

# The program of docs/observability.md.
page=$top_srcdir/docs/observability.md
awk '/^```c$/ { code = 1; next } /^```$/ { code = 0 } code' "$page" > "$work/numbers.c"
build() { # program source libraries...
    local program=$1
    shift
    # shellcheck disable=SC2086,SC2046 # flags
    $CC -std=c11 -O2 -I"$top_srcdir/include" -o "$work/$program" "$@" \
        $($PKG_CONFIG --cflags --libs jansson) -Wl,-rpath,"$top_builddir/.libs"
}
build numbers "$work/numbers.c" "$otlp" "$library"
build stores "$top_srcdir/tests/deploy/stores.c" "$redis" "$library"
python3 "$top_srcdir/tests/deploy/live.py" "$top_srcdir" "$top_builddir" "$work"
