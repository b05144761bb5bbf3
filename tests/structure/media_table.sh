#!/bin/sh
# The table of media types is what its script makes of the list of Debian that it names.
set -eu
table=$top_srcdir/libsvc/files/media_table.c
if ! command -v python3 > /dev/null || [ ! -r /etc/mime.types ]; then
    echo "SKIP: there is no python3, or no /etc/mime.types"
    exit 77
fi
version=$(dpkg-query -W -f '${Version}' media-types 2> /dev/null || true)
if ! grep -q "media-types $version)" "$table"; then
    echo "SKIP: the table is of another release of media-types than this one (${version:-none})"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$top_srcdir/libsvc/files/media_table.py" > "$work/media_table.c"
diff -u "$table" "$work/media_table.c"
