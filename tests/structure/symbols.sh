#!/bin/sh
# What a shared library exports is what its version script lists and what its public headers declare; the
# static library defines no global symbol outside our names; and no name is one of Sun RPC's.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

check_library() { # name, version script, headers…
    library=$top_builddir/.libs/$1 script=$top_srcdir/$2
    shift 2
    nm -D --defined-only "$library.so" |
        awk '$2 == "T" || $2 == "D" || $2 == "R" { sub(/@.*/, "", $3); print $3 }' | sort > exported
    sed -n 's/^ *\(svc_[a-z0-9_]*\);$/\1/p' "$script" > listed
    # A prototype may span lines: the name is what stands before the first parenthesis behind SVC_API.
    cat "$@" | tr '\n' ' ' | grep -oE 'SVC_API [^(;]*\(' | sed -n 's/.*[ *]\(svc_[a-z0-9_]*\)($/\1/p' | sort > declared
    sort -c listed && diff -u listed exported && diff -u listed declared || failed=1

    nm --defined-only --extern-only "$library.a" | awk 'NF == 3 { print $3 }' |
        grep -vE '^(svc_|__odr_asan|__asan|__ubsan|_ZN|_ZT[IS]|DW\.ref\.)' > foreign || true
    [ ! -s foreign ] || { echo "foreign symbols in $library.a:"; cat foreign; failed=1; }

    # Three parts at least; libtirpc owns the shorter names. The accessor of the version is the exception.
    grep -vE '^svc_[a-z]+_[a-z0-9_]+$' listed | grep -vx svc_version > short || true
    [ ! -s short ] || { echo "names of two parts:"; cat short; failed=1; }
}

# An optional library's header has its name, but for libsvc-compress, since svc/compress.h is the base's. An
# optional library may not have been built.
base_headers=$(cd "$top_srcdir" && ls include/svc/*.h include/svc/sys/*.h | grep -vxE 'include/svc/(memcached|otlp|pprof|redis|session|zstd_brotli)\.h' | sed "s|^|$top_srcdir/|")
# shellcheck disable=SC2086 # a list of files
check_library libsvc libsvc/libsvc.sym $base_headers
for name in compress memcached otlp pprof redis session; do
    header=$name
    [ $name != compress ] || header=zstd_brotli
    [ ! -f "$top_builddir/.libs/libsvc-$name.so" ] ||
        check_library "libsvc-$name" "libsvc/$name/libsvc-$name.sym" "$top_srcdir/include/svc/$header.h"
done

# The end of a thread that has counted calls into the library, also after a dlclose;
# a thread of libsvc-memcached that looks a name up; and the handler of a signal, which gperftools has installed.
for library in libsvc libsvc-memcached libsvc-pprof; do
    library=$top_builddir/.libs/$library.so
    [ ! -f "$library" ] || readelf -dW "$library" | grep -q NODELETE || { echo "$library can be unloaded"; failed=1; }
done
exit $failed
