#!/bin/sh
# The table of powers of ten is what its script makes.
set -eu
if ! command -v python3 > /dev/null; then
    echo "SKIP: there is no python3 to run the script"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$top_srcdir/libsvc/base/powers.py" > "$work/powers.c"
diff -u "$top_srcdir/libsvc/base/powers.c" "$work/powers.c"
