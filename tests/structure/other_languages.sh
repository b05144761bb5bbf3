#!/bin/bash
# A binding finds the defaults of each struct that has an _INIT; and the service in Python of
# docs/other-languages.md, as it stands there, serves with the built library.
set -eu
# Those of svc.h: optional libraries have structs of their own, for which NULL stands for the defaults.
headers=$(sed -n 's|^#include <\(svc/[a-z_]*\.h\)>$|\1|p' "$top_srcdir/include/svc.h")
# shellcheck disable=SC2086 # a list of files
for macro in $(cd "$top_srcdir/include" &&
    grep -ho 'define SVC_[A-Z_]*_INIT$\|define SVC_[A-Z_]*_INIT ' $headers | cut -d' ' -f2); do
    name=$(echo "$macro" | sed 's/^SVC_//; s/_INIT$//' | tr 'A-Z' 'a-z')
    grep -q "DEFAULTS($name)" "$top_srcdir/libsvc/app/other_languages.c" ||
        { echo "svc_struct_defaults does not know svc_$name"; exit 1; }
done
command -v python3 > /dev/null || { echo "SKIP: there is no python3"; exit 77; }
case $test_cflags in *-fsanitize*) echo "SKIP: python3 is not built with the sanitizer"; exit 77 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```/ { inside = $0 == "```python"; next } inside' "$top_srcdir/docs/other-languages.md" > "$work/hello.py"
[ -s "$work/hello.py" ]
LIBSVC=$(echo "$top_builddir"/.libs/libsvc.so.[0-9])
export LIBSVC
bash "$top_srcdir/tests/consumer/answers" python3 "$work/hello.py"
