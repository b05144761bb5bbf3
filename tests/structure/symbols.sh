#!/bin/sh
# What the shared library exports is what the version script lists and what public headers declare; the
# static library defines no global symbol outside our names; and no name is one of Sun RPC's.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
library=$top_builddir/.libs/libsvc

nm -D --defined-only "$library.so" | awk '$2 == "T" || $2 == "D" || $2 == "R" { sub(/@.*/, "", $3); print $3 }' |
    sort > exported
sed -n 's/^ *\(svc_[a-z0-9_]*\);$/\1/p' "$top_srcdir/libsvc/libsvc.sym" > listed
sort -c listed
# A prototype may span lines: the name is what stands before the first parenthesis behind SVC_API.
cat "$top_srcdir"/include/svc/*.h "$top_srcdir"/include/svc/sys/*.h | tr '\n' ' ' | grep -oE 'SVC_API [^(;]*\(' |
    sed -n 's/.*[ *]\(svc_[a-z0-9_]*\)($/\1/p' | sort > declared
diff -u listed exported
diff -u listed declared

nm --defined-only --extern-only "$library.a" | awk 'NF == 3 { print $3 }' |
    grep -vE '^(svc_|__odr_asan|__asan|__ubsan|_ZN)' > foreign || true
[ ! -s foreign ] || { echo "foreign symbols in the static library:"; cat foreign; exit 1; }

# Three parts at least; libtirpc owns the shorter names. The accessor of the version is the exception.
grep -vE '^svc_[a-z]+_[a-z0-9_]+$' listed | grep -vx svc_version > short || true
[ ! -s short ] || { echo "names of two parts:"; cat short; exit 1; }
