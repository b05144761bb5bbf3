#!/bin/sh
# Makefile.am lists every source file of the tree, and nothing that is not there.
set -eu
cd "$top_srcdir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ls libsvc/*/*.[ch] include/svc/*.h tests/unit/*/*.[ch] tests/api/*.[ch] tests/e2e/*.[ch] \
    tests/support/*.[ch] tests/structure/* fuzz/*.[ch] | sort > "$work/tree"
grep -oE '^	(libsvc|include/svc|tests|fuzz)/[A-Za-z0-9_./]+\.(c|h|sh)' Makefile.am | tr -d '\t' |
    sort > "$work/listed"
diff -u "$work/tree" "$work/listed"
