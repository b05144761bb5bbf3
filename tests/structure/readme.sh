#!/bin/sh
# The README's program is examples/hello.c, its table of settings is what the library has, and the
# C of each page in docs/, all its blocks in a row, compiles.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readme=$top_srcdir/README.md
awk '/^```c$/ { code = 1; next } /^```$/ { if (code) exit } code' "$readme" > "$work/hello.c"
diff -u "$top_srcdir/examples/hello.c" "$work/hello.c"
awk '/^<!-- config -->$/ { table = 1; next } /^<!-- \/config -->$/ { exit } table' "$readme" \
    > "$work/table"
"$top_builddir/tests/structure/settings_table" > "$work/generated"
diff -u "$work/generated" "$work/table"

for page in "$top_srcdir"/docs/*.md; do
    name=$(basename "$page" .md)
    awk '/^```c$/ { code = 1; next } /^```$/ { code = 0 } code' "$page" > "$work/$name.c"
    [ -s "$work/$name.c" ] || continue
    $CC -std=c11 -Wall -Wextra -Werror -I"$top_srcdir/include" $($PKG_CONFIG --cflags jansson) \
        -c -o "$work/$name.o" "$work/$name.c" || { echo "$page: its C does not compile"; exit 1; }
done
