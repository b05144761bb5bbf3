#!/bin/sh
# The shared library as built has what the hardening flags are for. Flags that the compiler or the
# linker did not take at configure time cannot be missed here; those that were taken must show.
set -eu
library=$top_builddir/.libs/libsvc.so
if [ "$hardening" != yes ]; then
    echo "SKIP: this build is configured without hardening"
    exit 77
fi
if [ ! -f "$library" ]; then
    echo "SKIP: this build has no shared library"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readelf -lW "$library" > "$work/segments"
readelf -dW "$library" > "$work/dynamic"
readelf --dyn-syms -W "$library" > "$work/symbols"
failed=0

# $1: the flag that asks for it, $2: a table of the library, $3: what the table must have.
shows() {
    case " $hardening_flags " in
    *" $1 "*) ;;
    *) echo "not asked for: $1"; return ;;
    esac
    grep -qE "$3" "$work/$2" || { echo "$1 does not show: no $3 in its $2"; failed=1; }
}

shows -Wl,-z,relro segments GNU_RELRO
shows -Wl,-z,now dynamic '(FLAGS|FLAGS_1).*NOW'
shows -Wl,-z,noexecstack segments 'GNU_STACK .* RW +0x'
shows -fstack-protector-strong symbols ' UND +__stack_chk_fail'
if grep -qE 'TEXTREL' "$work/dynamic"; then
    echo "code is written to when the library is loaded"
    failed=1
fi
[ $failed -eq 0 ] || cat "$work/segments" "$work/dynamic"
exit $failed
