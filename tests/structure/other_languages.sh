#!/bin/bash
# The service in Python of docs/other-languages.md, as it stands there, serves with the built library.
set -eu
command -v python3 > /dev/null || { echo "SKIP: there is no python3"; exit 77; }
case $test_cflags in *-fsanitize*) echo "SKIP: python3 is not built with the sanitizer"; exit 77 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```/ { inside = $0 == "```python"; next } inside' "$top_srcdir/docs/other-languages.md" > "$work/hello.py"
[ -s "$work/hello.py" ]
LIBSVC=$(echo "$top_builddir"/.libs/libsvc.so.[0-9])
export LIBSVC
bash "$top_srcdir/tests/consumer/answers" python3 "$work/hello.py"
