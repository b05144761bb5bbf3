#!/bin/bash
# The response cache passes the tests of http-cache-tests, which others have written, for the rules of RFC
# 9111. PEERS names the folder with its node_modules, which scripts/check --peers makes.
set -eu
package=${PEERS-}/node_modules/http-cache-tests
if [ ! -d "$package" ]; then
    echo "SKIP: http-cache-tests is not installed: scripts/check --peers does that"
    exit 77
fi
exec node --no-warnings "$top_srcdir/tests/cache/peer.mjs" "$package" "$top_builddir/tests/cache/forward"
