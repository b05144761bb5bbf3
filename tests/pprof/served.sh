# Functions for the scripts beside it, which source this file: a server that can be profiled.

case $test_cflags in
*-fsanitize*) echo "SKIP: sanitizers change what a profile shows"; exit 77 ;;
esac
work=$(mktemp -d)
server_pid=
stop_server() {
    [ -z "$server_pid" ] || kill "$server_pid" 2> "$work/kill" || true
    [ -z "$server_pid" ] || wait "$server_pid" || true
    server_pid=
}
trap 'stop_server; rm -rf "$work"' EXIT

need() { # program package
    command -v "$1" > "$work/found" || { echo "SKIP: $1 (package $2) is not installed: scripts/check --peers does that"; exit 77; }
}

# Starts the server with an argument and further variables; sets `url`, and `program`, the file that it runs.
serve() { # argument variables...
    local argument=$1
    shift
    : > "$work/log"
    env SVC_LISTEN=127.0.0.1:0 SVC_ADMIN_LISTEN=127.0.0.1:0 SVC_DRAIN_DELAY_MS=0 SVC_DEBUG_PAGES=on "$@" \
        "$top_builddir/tests/pprof/server" "$argument" > "$work/log" 2>&1 &
    server_pid=$!
    until admin=$(sed -n 's/.*"admin pages","address":"\([^"]*\)".*/\1/p' "$work/log") && [ -n "$admin" ]; do
        kill -0 "$server_pid" || { cat "$work/log"; exit 1; }
        read -rt 0.05 <> <(:) || true
    done
    url=http://$admin/debug/pprof
    program=$(readlink "/proc/$server_pid/exe")
}

# The share of a function, with all that it has called: the last percentage in its line.
share() { # function, report
    awk -v name="$1" '$NF == name { for (i = NF; i > 0; i--) if ($i ~ /%$/) { sub(/%/, "", $i); print int($i); exit } }' "$2"
}

# A report shows that a function has more than half of all.
expect_most() { # function, report
    local found
    found=$(share "$1" "$2")
    [ "${found:-0}" -gt 50 ] || { echo "$1 has ${found:-nothing} % in:"; cat "$2" "$work/log"; exit 1; }
}
