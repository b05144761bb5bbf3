#!/bin/bash
# Event streams as others read them: curl -N, aiohttp, and both behind NGINX and, with scripts/check --peers,
# HAProxy.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=/usr/bin:$PATH python3 "$top_srcdir/tests/e2e/events.py" "$top_builddir/tests/e2e/server_events" "$work" "${PEERS:+peers}"
