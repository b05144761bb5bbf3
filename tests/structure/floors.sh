#!/bin/sh
# A folder is a floor: includes point down only, and each third-party library has its one door.
set -eu
cd "$top_srcdir"
failed=0

# Prints what the files of a floor ($1) include beyond the floors that it may ($2, a regex).
check() {
    found=$(grep -nE '^#include "' "libsvc/$1"/*.[ch] | grep -vE "\"libsvc/($2)/" || true)
    [ -z "$found" ] || { echo "$1 may include only $2:"; echo "$found"; failed=1; }
}

check base 'base'
check proto 'base|proto'
check route 'base|proto|route'
check core 'base|proto|route|core'
check store 'base|store'
check mw 'base|proto|route|core|store|mw'
check ops 'base|proto|route|core|ops'
check server 'base|proto|route|core|store|mw|ops|server'

for floor in libsvc/*/; do
    case $floor in
    libsvc/base/ | libsvc/proto/ | libsvc/route/ | libsvc/core/ | libsvc/store/ | libsvc/mw/ | libsvc/ops/ | libsvc/server/) ;;
    *) echo "$floor is on no floor"; failed=1 ;;
    esac
done

# $1: a header, $2: the files that may include it.
door() {
    found=$(grep -lE "^#include [<\"]$1[>\"]" libsvc/*/*.[ch] | grep -vE "$2" || true)
    [ -z "$found" ] || { echo "$1 is included by:"; echo "$found"; failed=1; }
}

door microhttpd.h '^libsvc/server/loop_mhd(_reply)?\.c$'
door 'jansson.h|svc/json.h' '^libsvc/(core/(bind_json|debug|json|json_parse|json_tree|problem)\.c|ops/admin\.c)$'

# The ground floors know nothing of the public interface but its errors and marks.
found=$(grep -nE '^#include <svc' libsvc/base/*.[ch] libsvc/proto/*.[ch] libsvc/route/*.[ch] |
    grep -vE '<svc/(errors|visibility)\.h>' || true)
[ -z "$found" ] || { echo "below core:"; echo "$found"; failed=1; }

found=$(grep -nE '^#include "' include/svc.h include/svc/*.h || true)
[ -z "$found" ] || { echo "public headers include by <>:"; echo "$found"; failed=1; }

exit $failed
