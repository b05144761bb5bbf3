#!/bin/sh
# No circle of files or rooms, no object that needs a room above its own, no room too large.
set -eu
if ! command -v python3 > /dev/null; then
    echo "SKIP: there is no python3 to look for circles"
    exit 77
fi
python3 "$top_srcdir/tests/structure/circles.py" "$top_srcdir" "$top_builddir"
