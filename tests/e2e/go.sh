#!/bin/bash
# Forms and event streams as Go's own packages send and read them.
set -eu
[ -n "${PEERS-}" ] || { echo "SKIP: Go's clients are built by scripts/check --peers alone"; exit 77; }
command -v go > /dev/null || { echo "SKIP: go is not installed: scripts/check --peers does that"; exit 77; }
for server in server_multipart server_events; do
    [ -x "$top_builddir/tests/e2e/$server" ] || { echo "SKIP: $server was not built"; exit 77; }
done
# shellcheck source=tests/e2e/served.sh
. "$top_srcdir/tests/e2e/served.sh"

build() { # name
    GO111MODULE=off GOPROXY=off GOFLAGS='' GOCACHE=$work/go-cache go build -o "$work/$1" "$top_srcdir/tests/e2e/$1.go"
}

build multipart
mkdir "$work/kept"
serve "$top_builddir/tests/e2e/server_multipart" "SVC_FOLDER=$work/kept"
"$work/multipart" "$address" "$work"
stop_server

build events
serve "$top_builddir/tests/e2e/server_events"
"$work/events" "$address" "$server_pid"
wait "$server_pid" || { cat "$work/log"; exit 1; }
server_pid=
