#!/bin/sh
# What a release has of public structs and constants stays: each line of tests/structure/abi.txt holds, and
# no struct or constant is missing there. A member that a later release adds begins behind the end that
# its struct had before, also behind its padding, and a struct without a size never changes.
#
#     ABI_RECORD=0.2 tests/structure/abi.sh     writes the lines of release 0.2 anew, while it is not out
set -eu
: "${CC:=cc}" "${PKG_CONFIG:=pkg-config}" "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
record=$top_srcdir/tests/structure/abi.txt
export LC_ALL=C
jansson=$($PKG_CONFIG --cflags jansson)

# A program that prints "struct member offset size", "struct . 0 size" and "enum NAME value -".
includes=$(cd "$top_srcdir/include" && for header in svc.h svc/memcached.h svc/otlp.h svc/pprof.h svc/redis.h svc/session.h svc/zstd_brotli.h svc/sys/*.h; do echo "#include <$header>"; done)
echo "$includes" > "$work/all.c"
$CC -E -P -I"$top_srcdir/include" $jansson "$work/all.c" > "$work/all.i"
awk -v mode=list -f "$top_srcdir/tests/structure/structs.awk" "$work/all.i" > "$work/names"
{
    echo '#include <stdio.h>'
    echo "$includes"
    echo 'int main(void) {'
    awk '$1 == "enum" { printf "printf(\"enum %s %%d -\\n\", (int)%s);\n", $2, $2; next }
        !seen[$1]++ { printf "printf(\"%s . 0 %%zu\\n\", sizeof(struct %s));\n", $1, $1 }
        { printf "printf(\"%s %s %%zu %%zu\\n\", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));\n",
            $1, $2, $1, $2, $1, $2 }' "$work/names"
    echo 'return sizeof(void *) == 8 ? 0 : 77; }'
} > "$work/print.c"
$CC -I"$top_srcdir/include" $jansson "$work/print.c" -o "$work/print"
"$work/print" > "$work/present" || { echo "SKIP: the record is of machines with pointers of 64 bits"; exit 77; }

[ -z "${ABI_RECORD:-}" ] || sed -i "/^$ABI_RECORD /d" "$record"

# The lines that the record lacks; the size of a struct is there once for each release that changed it.
grep -v '^#' "$record" 2> /dev/null | cut -d' ' -f2- | sort > "$work/recorded" || true
sort "$work/present" > "$work/sorted"
comm -13 "$work/recorded" "$work/sorted" > "$work/missing"
if [ -n "${ABI_RECORD:-}" ]; then
    awk -v release="$ABI_RECORD" 'NR == FNR { missing[$0]; next } $0 in missing { print release, $0 }' \
        "$work/missing" "$work/present" >> "$record"
    exit 0
fi
failed=0
if [ -s "$work/missing" ]; then
    echo "not recorded in tests/structure/abi.txt (ABI_RECORD=<the coming release> tests/structure/abi.sh):"
    cat "$work/missing"
    failed=1
fi
awk 'function complain(why) { print why ": " $0; failed = 1 }
    NR == FNR { present[$0]; sized[$1] = sized[$1] || $2 == "size"; next }
    /^#/ { next }
    { line = $2 " " $3 " " $4 " " $5 }
    $3 == "." {
        if ($2 in size && !sized[$2])
            complain("a struct without a size has changed")
        before[$2] = size[$2] + 0
        size[$2] = $5
        since[$2] = $1
        whole[$2] = line
        next
    }
    !(line in present) { complain("is so no more") }
    $2 != "enum" && ($1 != since[$2] || $4 < before[$2]) { complain("begins within what its struct was") }
    END {
        for (name in whole)
            if (!(whole[name] in present)) { print "is so no more: " whole[name]; failed = 1 }
        exit failed
    }' "$work/present" "$record" || failed=1
exit $failed
