#!/bin/sh
# A folder is a floor: includes point down only (floors.txt has the table), and each third-party
# library has its one door.
set -eu
cd "$top_srcdir"
failed=0

# A floor ($1), and the floors beneath it that its files may include beside their own (the rest).
# The rooms of one floor know nothing of one another.
floor() {
    name=$1
    shift
    allowed=$name
    for below; do allowed="$allowed|$below"; done
    floors="$floors $name"
    found=$(find "libsvc/$name" -name '*.[ch]*' -exec grep -nE '^#include "' {} + |
        grep -vE "\"libsvc/($allowed)/" || true)
    [ -z "$found" ] || { echo "$name may include only $allowed:"; echo "$found"; failed=1; }
}

floors=
while IFS=': ' read -r name _ below; do
    # shellcheck disable=SC2086 # a list of rooms
    case $name in
    '#'*) ;;
    *) floor "$name" $below ;;
    esac
done < tests/structure/floors.txt

for folder in $(find libsvc -name '*.[ch]*' | sed 's|/[^/]*$||' | sort -u); do
    name=${folder#libsvc/}
    case " $floors " in
    *" $name "*) ;;
    *) echo "$folder is on no floor"; failed=1 ;;
    esac
done

# $1: a header, $2: the files that may include it.
door() {
    found=$(find libsvc -name '*.[ch]*' -exec grep -lE "^#include [<\"]$1[>\"]" {} + | grep -vE "$2" || true)
    [ -z "$found" ] || { echo "$1 is included by:"; echo "$found"; failed=1; }
}

door microhttpd.h '^libsvc/fronts/mhd/[^/]*$'
door 'jansson.h|svc/json.h' '^libsvc/(json/(development_routes|json(_parse|_tree)?|problem_json)|bind/bind_(json|write)|ops/admin|otlp/otlp_verdict)\.c$'

door 'curl/curl.h' '^libsvc/otlp/otlp_http\.c$'
door 'zlib.h' '^libsvc/(base/gzip|coding/coding_zlib|otlp/otlp_gzip)\.c$'
door 'hiredis/hiredis.h' '^libsvc/redis/redis_reply\.c$'
door 'gperftools/profiler.h' '^libsvc/pprof/pprof_profile\.c$'
door 'zstd.h|zstd_errors.h' '^libsvc/compress/compress_zstd\.c$'
door 'brotli/[a-z]*.h' '^libsvc/compress/compress_brotli\.c$'
door 'sodium.h' '^libsvc/session/session_seal\.c$'
door 'gperftools/malloc_extension.h' '^libsvc/pprof/pprof_heap\.cc$'

# The ground floors know nothing of the public interface but its errors and marks.
found=$(find libsvc/base libsvc/proto libsvc/route -name '*.[ch]' -exec grep -nE '^#include <svc' {} + |
    grep -vE '<svc/(errors|visibility|version)\.h>' || true)
[ -z "$found" ] || { echo "the ground floors include:"; echo "$found"; failed=1; }

found=$(grep -nE '^#include "' include/svc.h include/svc/*.h || true)
[ -z "$found" ] || { echo "public headers include by <>:"; echo "$found"; failed=1; }

exit $failed
