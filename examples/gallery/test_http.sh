#!/bin/bash
# The gallery over the wire: uploads by curl, large ones too, parts of pictures, and events. GALLERY names the program,
# and PAGE the folder of its page.
set -eu
work=$(mktemp -d)
server= watcher=
stop() {
    [ -z "$watcher" ] || kill "$watcher" 2> /dev/null || true
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap stop EXIT
fail() {
    echo "$1"
    tail -n 20 "$work/log"
    exit 1
}
expect() { # what found wanted
    [ "$2" = "$3" ] || fail "$1: $2, and not $3"
}

mkdir "$work/pictures"
SVC_FOLDER=$work/pictures SVC_PAGE_FOLDER=${PAGE:-${top_srcdir:+$top_srcdir/examples/gallery/}page} \
    SVC_LISTEN=unix:$work/socket SVC_ADMIN_LISTEN='' SVC_DRAIN_DELAY_MS=0 \
    "${GALLERY:=${top_builddir:+$top_builddir/examples/gallery/}gallery}" > "$work/log" 2>&1 &
server=$!
until curl -sf --unix-socket "$work/socket" http://gallery/ > /dev/null; do
    kill -0 "$server" 2> /dev/null || fail "the server has ended"
    sleep 0.05
done

get() { # path options...
    curl -sS --max-time 60 --unix-socket "$work/socket" "http://gallery$1" "${@:2}"
}
status() { # path options...
    get "$1" -o /dev/null -w '%{http_code}' "${@:2}"
}
names() {
    get '/pictures/?sort=modified' -H 'Accept: application/json' | grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

# An open page, which is told of each picture once it has heard that it is connected.
curl -sSN --unix-socket "$work/socket" http://gallery/events > "$work/events" &
watcher=$!
until grep -q retry "$work/events"; do
    kill -0 "$watcher" 2> /dev/null || fail "there are no events"
    sleep 0.05
done

{ printf '\x89PNG\r\n\x1a\n' && head -c 30000000 /dev/urandom; } > "$work/large.png"
expect "an upload" "$(status /pictures -F "picture=@$work/large.png;filename=../x.html")" 303
name=$(names)
case $name in *.png) ;; *) fail "the list has $name" ;; esac
get "/pictures/$name" | cmp - "$work/large.png" || fail "the picture differs"
expect "a part" "$(status "/pictures/$name" -r 100-199)" 206
expect "its type" "$(get "/pictures/$name" -I | tr -d '\r' | sed -n 's/^Content-Type: //Ip')" image/png
until grep -q "data: $name" "$work/events"; do
    kill -0 "$watcher" 2> /dev/null || fail "the event has not come"
    sleep 0.05
done
expect "something else" "$(status /pictures -F "picture=@$0")" 415
{ printf '\x89PNG\r\n\x1a\n' && head -c 60000000 /dev/zero; } > "$work/huge.png"
expect "a picture that is too large" "$(status /pictures -F "picture=@$work/huge.png" -H Expect:)" 413
expect "the list" "$(names | wc -l)" 1
expect "files that are left" "$(find "$work/pictures" -type f | wc -l)" 1
get / | grep -q 'gallery.js' || fail "the page is not served"
expect "the page's script" "$(status /gallery.js)" 200

kill "$watcher"
wait "$watcher" 2> /dev/null || true
watcher=
kill "$server"
wait "$server" || fail "the server ends with $?"
server=
