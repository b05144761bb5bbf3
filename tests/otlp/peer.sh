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
pids=
trap '[ -z "$pids" ] || kill $pids || true; rm -rf "$work"' EXIT
node "$top_srcdir/tests/otlp/peer.js" "$receiver" > "$work/received" 2> "$work/errors" &
pids=$!

await_line() { # file pattern
    for _ in {1..600}; do
        ! grep -q -- "$2" "$work/$1" || return 0
        # shellcheck disable=SC2086 # a list of processes
        kill -0 $pids || break
        read -rt 0.1 <> <(:) || true
    done
    echo "$1 has no line with: $2"
    cat "$work/$1" "$work/errors"
    return 1
}

await_text() { # text
    await_line received "$(sed 's/[][\\.*^$]/\\&/g' <<< "$1")"
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

# A request through two services: the span of the one that is called names that of the call.
start_service() { # name variables...
    local name=$1
    shift
    env "$@" SVC_LISTEN=127.0.0.1:0 SVC_ADMIN_LISTEN= SVC_DRAIN_DELAY_MS=0 no_proxy='*' \
        OTEL_EXPORTER_OTLP_ENDPOINT="$url" OTEL_BSP_SCHEDULE_DELAY=10 \
        "$top_builddir/examples/search/$name" > "$work/$name" 2>&1 &
    pids="$pids $!"
    await_line "$name" '"listening"'
    address=$(sed -n 's/.*"listening".*"address":"\([0-9.:]*\)".*/\1/p' "$work/$name")
}
start_service notes
start_service search SVC_NOTES_URL="http://$address"
trace=4bf92f3577b34da6a3ce929d0e0e4736
curl -fsS --noproxy '*' -o /dev/null -H "traceparent: 00-$trace-00f067aa0ba902b7-01" "http://$address/search?q=pear"
await_line received "\"service.name\":\"search\".*\"parentSpanId\":\"00f067aa0ba902b7\""
call="\"traceId\":\"$trace\",\"spanId\":\"\([0-9a-f]*\)\",[^{]*\"name\":\"GET /notes\",\"kind\":\"SPAN_KIND_CLIENT\""
await_line received "$call"
id=$(sed -n "s|.*$call.*|\1|p" "$work/received")
await_line received "\"service.name\":\"notes\".*\"parentSpanId\":\"$id\".*\"name\":\"GET /notes\",\"kind\":\"SPAN_KIND_SERVER\""
