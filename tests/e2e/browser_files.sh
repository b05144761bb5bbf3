#!/bin/bash
# The download server of examples/files in a browser: Debian's Chromium, which scripts/check --peers installs.
set -eu
chromium=$(command -v chromium || true)
[ -n "${PEERS-}" ] || { echo "SKIP: a browser is started by scripts/check --peers alone"; exit 77; }
[ -n "$chromium" ] || { echo "SKIP: chromium is not installed: scripts/check --peers does that"; exit 77; }
[ -x "$top_builddir/examples/files/files" ] || { echo "SKIP: the server was not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$top_srcdir/tests/e2e/browser_files.py" "$chromium" "$top_builddir/examples/files/files" "$work"
