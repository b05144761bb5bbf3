#!/bin/bash
# Compressed replies, read by others: the command-line tools of each coding, and curl --compressed.
set -eu
for tool in curl gzip zstd brotli; do
    command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
work=$(mktemp -d)
SVC_LISTEN=127.0.0.1:0 SVC_ADMIN_LISTEN= SVC_DRAIN_DELAY_MS=0 SVC_ACCESS_LOG=false \
    "$top_builddir/tests/compress/server" > "$work/log" &
pid=$!
stream=
trap 'kill "$pid" $stream 2> /dev/null || true; rm -rf "$work"' EXIT
until address=$(sed -n 's/.*"listening","address":"\([^"]*\)".*/\1/p' "$work/log") && [ -n "$address" ]; do
    kill -0 "$pid" || { cat "$work/log"; exit 1; }
    read -rt 0.05 <> <(:) || true
done
ask() { curl -sS --max-time 60 "$@"; }
field() { sed -n "s/^$1: \(.*\)\r$/\1/p" "$work/head"; }
undo() {
    case $1 in
    br) brotli -dc ;;
    *) "$1" -dc ;;
    esac
}

for target in page large stream; do
    ask "http://$address/$target" > "$work/plain"
    [ -s "$work/plain" ]
    for coding in gzip zstd br; do
        ask -D "$work/head" -H "Accept-Encoding: $coding" "http://$address/$target" > "$work/coded"
        [ "$(field Content-Encoding)" = $coding ] || { echo "$target is not under $coding"; exit 1; }
        [ "$(field Vary)" = Accept-Encoding ]
        undo $coding < "$work/coded" | cmp - "$work/plain"
        [ "$(stat -c %s "$work/coded")" -lt $(($(stat -c %s "$work/plain") / 2)) ]
        length=$(field Content-Length)
        [ $target != page ] || [ "$length" = "$(stat -c %s "$work/coded")" ]
        ask -I -D "$work/head" -H "Accept-Encoding: $coding" "http://$address/$target" > /dev/null
        [ "$(field Content-Encoding)" = $coding ]
        [ "$(field Content-Length)" = "$length" ]
    done
    ask -D "$work/head" --compressed "http://$address/$target" | cmp - "$work/plain"
    [ -n "$(field Content-Encoding)" ]
    ask -D "$work/head" --http1.0 --compressed "http://$address/$target" | cmp - "$work/plain"
done

# An event is seen before the next one is written, under each coding.
for coding in gzip zstd br identity; do
    : > "$work/events"
    curl -sSN --max-time 60 --compressed -H "Accept-Encoding: $coding" "http://$address/events" > "$work/events" &
    stream=$!
    for event in 0 1 2; do
        until grep -q "data: event $event" "$work/events"; do
            kill -0 "$stream" || { echo "event $event is missing under $coding"; exit 1; }
            read -rt 0.02 <> <(:) || true
        done
        if grep -q "data: event $((event + 1))" "$work/events"; then exit 1; fi
        ask -X POST "http://$address/next"
    done
    wait "$stream"
    stream=
    [ "$(grep -c . "$work/events")" = 3 ]
done
kill -TERM "$pid"
wait "$pid"
