# A server for scripts: serve PROGRAM [SETTING=VALUE...] sets address and server_pid, and stop_server ends it and
# expects that it has ended well. Its log is $work/log, and $work is gone at the end.
# shellcheck shell=bash
work=$(mktemp -d)
server_pid=
trap '[ -z "$server_pid" ] || kill "$server_pid" 2> /dev/null || true; rm -rf "$work"' EXIT

serve() { # program settings...
    : > "$work/log"
    env SVC_LISTEN=127.0.0.1:0 SVC_ADMIN_LISTEN= SVC_DRAIN_DELAY_MS=0 SVC_ACCESS_LOG=false SVC_WORKER_QUEUE_MS=600000 \
        "${@:2}" "$1" > "$work/log" &
    server_pid=$!
    until address=$(sed -n 's/.*"listening","address":"\([^"]*\)".*/\1/p' "$work/log") && [ -n "$address" ]; do
        kill -0 "$server_pid" || { cat "$work/log"; exit 1; }
        read -rt 0.05 <> <(:) || true
    done
}

stop_server() {
    kill -TERM "$server_pid" 2> /dev/null || true
    wait "$server_pid" || { cat "$work/log"; exit 1; }
    server_pid=
}
