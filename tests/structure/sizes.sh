#!/bin/sh
# A program that was built against the headers of another release, whose structs have a member less
# or more at their end, runs with this library: see tests/structure/sizes.c.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jansson=$($PKG_CONFIG --cflags jansson)

# The program of that name, with its structs made so by structs.awk, and its macros.
try() { # name mode flags…
    name=$1 mode=$2
    shift 2
    $CC -E -P -std=gnu11 "$@" -I"$top_srcdir/include" $jansson "$top_srcdir/tests/structure/sizes.c" > "$work/whole.i"
    if [ "$mode" = same ]; then
        cp "$work/whole.i" "$work/$name.c"
    else
        awk -v mode="$mode" -f "$top_srcdir/tests/structure/structs.awk" "$work/whole.i" > "$work/$name.c"
        if cmp -s "$work/whole.i" "$work/$name.c"; then
            echo "$name has the structs of this release"
            exit 1
        fi
    fi
    # A shorter struct has more initialisers than members, which is a warning that nobody needs here.
    $CC -w $test_cflags -std=gnu11 "$work/$name.c" -o "$work/$name" -L"$top_builddir/.libs" -lsvc \
        -Wl,-rpath,"$top_builddir/.libs"
    "$work/$name" > "$work/told" || { echo "a program with structs that are $name:"; cat "$work/told"; exit 1; }
}

try same same
try shorter less
try longer more
try asking more -DASKS_MORE
