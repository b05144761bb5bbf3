#!/bin/sh
# Each unit test mirrors the file of the library that it is named after, and each file of the library has
# its unit test or stands in mirror.txt with the reason why it has none.
set -eu
export LC_ALL=C
cd "$top_srcdir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd libsvc && find . -name '*.c') | sort > "$work/library"
(cd libsvc && find . -name '*.[ch]') | sed 's/h$/c/' | sort -u > "$work/mirrored"
(cd tests/unit && find . -name '*.c') | sort > "$work/tests"
grep -vE '^(#|$)' tests/structure/mirror.txt | sed 's/:.*//; s|^|./|; s|$|.c|' > "$work/listed"
failed=0
say() { while read -r line; do echo "$line: $1"; done; }
none() { [ ! -s "$work/bad" ] || { say "$1" < "$work/bad"; failed=1; }; }

comm -13 "$work/mirrored" "$work/tests" > "$work/bad"
none "mirrors no file of the library"
sort "$work/listed" | comm -13 "$work/library" - > "$work/bad"
none "stands in mirror.txt, and is no file of the library"
sort "$work/listed" | comm -12 "$work/tests" - > "$work/bad"
none "stands in mirror.txt, and has a test"
sort "$work/listed" "$work/tests" | comm -23 "$work/library" - > "$work/bad"
none "has no unit test, and no reason in mirror.txt"
sort -c -u "$work/listed" 2> "$work/bad" || none "is not in order, or stands there twice"
grep -nvE '^#|^[a-z0-9_/]+: .{20,}$' tests/structure/mirror.txt > "$work/bad" || true
none "is no file with a reason"
grep -oE '(tests|fuzz)/[a-z0-9_/]+\.(c|sh)' tests/structure/mirror.txt | sort -u > "$work/named"
while read -r path; do
    [ -f "$path" ] || echo "$path"
done < "$work/named" > "$work/bad"
none "stands in mirror.txt, and is not there"
exit $failed
