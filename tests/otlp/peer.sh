#!/bin/bash
# A receiver that others have written takes what is exported: @elastic/mockotlpserver, which decodes requests
# by the protocol's own definitions. PEERS names the folder with its node_modules, which scripts/check --peers
# makes.
set -eu
receiver=${PEERS-}/node_modules/@elastic/mockotlpserver
if [ ! -d "$receiver" ]; then
    echo "SKIP: @elastic/mockotlpserver is not installed: scripts/check --peers does that"
    exit 77
fi
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" || true; rm -rf "$work"' EXIT
node "$top_srcdir/tests/otlp/peer.js" "$receiver" > "$work/received" 2> "$work/errors" &
pid=$!

await_text() { # text
    for _ in {1..600}; do
        ! grep -qF -- "$1" "$work/received" || return 0
        kill -0 "$pid" || break
        read -rt 0.1 <> <(:) || true
    done
    echo "The receiver has not printed: $1"
    cat "$work/received" "$work/errors"
    return 1
}

await_text listening
url=$(sed -n 's/^listening //p' "$work/received")
OTEL_EXPORTER_OTLP_ENDPOINT=$url OTEL_SERVICE_NAME="sent to a peer" "$top_builddir/tests/otlp/send"
await_text '"service.name":"sent to a peer"'
for text in '"traceId":"0af7651916cd43dd8448eb211c80319c"' \
    '"parentSpanId":"b7ad6b7169203331","traceState":"a=b"' \
    '"name":"GET /stock/{id}","kind":"SPAN_KIND_SERVER"' '"name":"GET stock","kind":"SPAN_KIND_CLIENT"' \
    '"links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"' \
    '"status":{"code":"STATUS_CODE_ERROR","message":"no answer"}' '"http.response.status_code":200' \
    '"least":-9223372036854776000,"half":0.5,"yes":true'; do # JavaScript has rounded the number
    await_text "$text"
done
