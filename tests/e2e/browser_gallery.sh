#!/bin/bash
# The gallery of examples/gallery in a browser: Debian's Chromium, which scripts/check --peers installs.
set -eu
chromium=$(command -v chromium || true)
[ -n "${PEERS-}" ] || { echo "SKIP: a browser is started by scripts/check --peers alone"; exit 77; }
[ -n "$chromium" ] || { echo "SKIP: chromium is not installed: scripts/check --peers does that"; exit 77; }
[ -x "$top_builddir/examples/gallery/gallery" ] || { echo "SKIP: the server was not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SVC_PAGE_FOLDER="$top_srcdir/examples/gallery/page"
python3 "$top_srcdir/tests/e2e/browser_gallery.py" "$chromium" "$top_builddir/examples/gallery/gallery" "$work"
