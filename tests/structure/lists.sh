#!/bin/sh
# Makefile.am lists every source file and page of the tree, each list sorted, and nothing that is not there.
set -eu
export LC_ALL=C
cd "$top_srcdir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find libsvc include/svc tests fuzz examples \( -name '*.[ch]' -o -name '*.cc' -o -path 'tests/*.sh' -o -path 'examples/*.sh' \) > "$work/found"
ls docs/*.md >> "$work/found"
find deploy -type f >> "$work/found"
sort "$work/found" > "$work/tree"

# A fuzz target is listed as the program that it becomes.
awk '/^\t(libsvc|include\/svc|tests|fuzz|examples)\/[A-Za-z0-9_.\/]+\.(c|cc|h|sh)( \\)?$/ { print $1 }
    /^\tdocs\/[a-z-]+\.md( \\)?$/ { print $1 }
    /^\tdeploy\// { print $1 }
    /^\tfuzz\/fuzz_[a-z0-9_]+( \\)?$/ { print $1 ".c" }' Makefile.am | sort > "$work/listed"
diff -u "$work/tree" "$work/listed"

awk '/^\t(libsvc|include|tests|fuzz|examples|deploy)\// {
        if ($1 <= last) { print "Makefile.am:" NR ": " $1 " is not in order"; failed = 1 }
        last = $1
    }
    !/\\$/ { last = "" }
    END { exit failed }' Makefile.am
