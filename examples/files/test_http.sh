#!/bin/bash
# The download server over the wire: curl, a download that breaks off and is resumed, and NGINX in front. FILES names
# the program.
set -eu
work=$(mktemp -d)
server= nginx=
stop() {
    [ -z "$nginx" ] || kill "$nginx" 2> /dev/null || true
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap stop EXIT
fail() {
    echo "$1"
    cat "$work/log" "$work/nginx.log" 2> /dev/null | tail -n 20 || true
    exit 1
}
expect() { # what found wanted
    [ "$2" = "$3" ] || fail "$1: $2, and not $3"
}

mkdir "$work/files" "$work/files/a b"
head -c 20000000 /dev/urandom > "$work/files/large.bin"
echo '<p>page</p>' > "$work/files/page.html"
gzip -k "$work/files/page.html"
seq 100000 > "$work/files/numbers.txt"
printf 'inner' > "$work/files/a b/ü.txt"

SVC_FOLDER=$work/files SVC_LISTEN=unix:$work/socket SVC_ADMIN_LISTEN='' SVC_DRAIN_DELAY_MS=0 \
    "${FILES:=${top_builddir:+$top_builddir/examples/files/}files}" > "$work/log" 2>&1 &
server=$!
until curl -sf --unix-socket "$work/socket" http://files/ > /dev/null; do
    kill -0 "$server" 2> /dev/null || fail "the server has ended"
    sleep 0.05
done

# What curl shows of a reply, from the server itself or through NGINX.
get() { # path options...
    curl -sS --max-time 60 --unix-socket "$socket" "http://files$1" "${@:2}"
}
status() { # path options...
    get "$1" -o /dev/null -w '%{http_code}' "${@:2}"
}
field() { # name path options...
    get "$2" -o /dev/null -D - "${@:3}" | tr -d '\r' | sed -n "s/^$1: //Ip"
}

try_all() {
    expect "a name with a space and an umlaut" "$(get '/a%20b/%C3%BC.txt')" inner
    expect "a folder without its slash" "$(field Location '/a%20b')" '/a%20b/'
    expect "a file that is not there" "$(status /none)" 404
    case $(status '/..%2flog') in
    404 | 400) ;; # NGINX answers 400 itself
    *) fail "a path leads out of the folder" ;;
    esac
    case $(get /../log --path-as-is -L -o /dev/null -w '%{http_code}') in
    404 | 400) ;;
    *) fail "a path leads out of the folder as it is" ;;
    esac
    get / -H 'Accept: application/json' | grep -q '"name":"large.bin","href":"./large.bin","type":"file","size":20000000' ||
        fail "the listing has not the file"
    expect "a compressed sibling" "$(get /page.html --compressed)" '<p>page</p>'
    expect "its coding" "$(field Content-Encoding /page.html -H 'Accept-Encoding: gzip')" gzip
    expect "a coding of text" "$(field Content-Encoding /numbers.txt -H 'Accept-Encoding: gzip')" gzip
    get /numbers.txt --compressed | cmp - "$work/files/numbers.txt" || fail "the compressed text differs"
    expect "a part of text, which has no coding" \
        "$(get /numbers.txt --compressed -r 0-5 -w ' %{http_code}')" "$(printf '1\n2\n3\n 206')"
    get /large.bin | cmp - "$work/files/large.bin" || fail "the file differs"
    tag=$(field ETag /large.bin)
    expect "a file that the client has" "$(status /large.bin -H "If-None-Match: $tag")" 304
    expect "the length of its head" "$(field Content-Length /large.bin -I)" 20000000
    resume
}

# A download that was broken off goes on where it was, for this version of the file.
resume() {
    rm -f "$work/part"
    get /large.bin 2> /dev/null | head -c 7654321 > "$work/part" || true
    expect "the part" "$(wc -c < "$work/part")" 7654321
    get /large.bin -C - -o "$work/part" || fail "curl does not resume: $?"
    cmp "$work/part" "$work/files/large.bin" || fail "the resumed file differs"
    expect "a part" "$(status /large.bin -r 100-199)" 206
    expect "a part of this version" "$(status /large.bin -r 100-199 -H "If-Range: $tag")" 206
    expect "a part of another version" "$(status /large.bin -r 100-199 -H 'If-Range: "other"')" 200
    expect "a part behind the end" "$(status /large.bin -r 20000000-)" 416
}

socket=$work/socket
try_all

if program=$(PATH=$PATH:/usr/sbin command -v nginx); then
    cat > "$work/nginx.conf" <<CONF
daemon off; master_process off; pid $work/pid; error_log $work/nginx.log warn;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server {
    listen unix:$work/front;
    location / { proxy_pass http://unix:$work/socket:; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
CONF
    "$program" -p "$work" -c "$work/nginx.conf" -e stderr > /dev/null 2>&1 &
    nginx=$!
    socket=$work/front
    until get / > /dev/null 2>&1; do
        kill -0 "$nginx" 2> /dev/null || fail "NGINX has ended"
        sleep 0.05
    done
    try_all
else
    echo "NGINX is not installed: not tried behind it"
fi

kill "$server"
wait "$server" || fail "the server ends with $?"
server=
