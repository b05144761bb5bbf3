#!/bin/sh
# Each public header compiles alone, twice in a row, as C99 and as C++11.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jansson=$($PKG_CONFIG --cflags jansson)
warnings="-Wall -Wextra -pedantic -Werror"
for header in svc.h $(cd "$top_srcdir/include" && ls svc/*.h); do
    printf '#include <%s>\n#include <%s>\ntypedef int more;\n' "$header" "$header" > "$work/alone.c"
    cp "$work/alone.c" "$work/alone.cc"
    $CC -std=c99 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/alone.c"
    $CXX -std=c++11 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/alone.cc"
done
