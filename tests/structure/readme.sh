#!/bin/sh
# The README's program is examples/hello.c, and its table of settings is what the library has.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readme=$top_srcdir/README.md
awk '/^```c$/ { code = 1; next } /^```$/ { if (code) exit } code' "$readme" > "$work/hello.c"
diff -u "$top_srcdir/examples/hello.c" "$work/hello.c"
awk '/^<!-- config -->$/ { table = 1; next } /^<!-- \/config -->$/ { exit } table' "$readme" \
    > "$work/table"
"$top_builddir/tests/structure/config_table" > "$work/generated"
diff -u "$work/generated" "$work/table"
