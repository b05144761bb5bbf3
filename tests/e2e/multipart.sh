#!/bin/bash
# Forms as others send them: aiohttp, curl -F, and Python's requests where it is installed.
set -eu
command -v curl > /dev/null || { echo "SKIP: curl is not installed"; exit 77; }
[ -x "$top_builddir/tests/e2e/server_multipart" ] || { echo "SKIP: the server was not built"; exit 77; }
# shellcheck source=tests/e2e/served.sh
. "$top_srcdir/tests/e2e/served.sh"
mkdir "$work/kept"
serve "$top_builddir/tests/e2e/server_multipart" "SVC_FOLDER=$work/kept"
ask() { curl -sS --max-time 120 "$@"; }
expect() { # shown found
    [ "$1" = "$2" ] || { printf 'expected %s, and found %s\n' "$1" "$2"; exit 1; }
}

# Debian's python3 has aiohttp, whichever comes first otherwise.
aiohttp=
if PATH=/usr/bin:$PATH python3 -c 'import aiohttp' 2> /dev/null; then
    aiohttp=1
    PATH=/usr/bin:$PATH python3 "$top_srcdir/tests/e2e/multipart.py" "$address" "$work"
fi

# A file of random bytes, and one of beginnings of boundaries, as they were sent.
head -c 5000000 /dev/urandom > "$work/random"
yes "$(printf -- '\r\n--------------------------')" | head -c 3000000 > "$work/dashes"
for name in random dashes; do
    expect 201 "$(ask -o "$work/reply" -w '%{http_code}' -F "file=@$work/$name" -F "name=$name" "http://$address/keep")"
    cmp "$work/$name" "$work/kept/$name"
    expect "$name" "$(cat "$work/reply")"
done
expect 500 "$(ask -o "$work/reply" -w '%{http_code}' -F "file=@$work/random" -F name=.. "http://$address/keep")"
expect 400 "$(ask -o "$work/reply" -w '%{http_code}' -F name=a "http://$address/keep")"
expect '["a","","b","n.txt",4]' "$(ask -F a=1 -F 'b=abc;filename=n.txt;type=text/csv' "http://$address/drop")"
expect '["f","a\"b;c.txt",1]' "$(ask -F 'f=x;filename="a\"b;c.txt"' "http://$address/drop")"
expect '["ä","ö.txt",1]' "$(ask -F 'ä=x;filename=ö.txt' "http://$address/drop")"
expect 415 "$(ask -o "$work/reply" -w '%{http_code}' -F 'a=x;encoder=base64' "http://$address/drop")"
expect 415 "$(ask -o "$work/reply" -w '%{http_code}' -d a=1 "http://$address/drop")"

if python3 -c 'import requests' 2> /dev/null; then
    python3 - "$address" "$work" << 'END'
import sys, requests
address, work = sys.argv[1:]
data = open(f"{work}/random", "rb").read()
reply = requests.post(f"http://{address}/keep", files={"file": ("é.bin", data)}, data={"name": "python"}, timeout=120)
assert reply.status_code == 201 and reply.content.decode() == "é.bin", reply.content
assert open(f"{work}/kept/python", "rb").read() == data
reply = requests.post(f"http://{address}/drop", files=[("f", ('a"b\r\nc.txt', b"x", "text/plain"))], timeout=120)
assert reply.json() == ["f", 'a"b\r\nc.txt', 1], reply.content
END
fi
[ "$(find "$work/kept" -type f | wc -l)" -le 3 ]
stop_server
[ -n "$aiohttp" ] || { echo "SKIP: not installed: aiohttp"; exit 77; }
