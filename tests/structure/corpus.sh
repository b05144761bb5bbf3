#!/bin/sh
# Every fuzz target lives through every input of its corpus; those of optional libraries are built with them.
set -eu
for source in "$top_srcdir"/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    case $target in
    fuzz_redis_*) [ -x "$top_builddir/fuzz/$target" ] || [ -f "$top_builddir/libsvc-redis.la" ] || continue ;;
    fuzz_otlp_*) [ -x "$top_builddir/fuzz/$target" ] || [ -f "$top_builddir/libsvc-otlp.la" ] || continue ;;
    fuzz_session) [ -x "$top_builddir/fuzz/$target" ] || [ -f "$top_builddir/libsvc-session.la" ] || continue ;;
    esac
    "$top_builddir/fuzz/$target" "$top_srcdir/fuzz/corpus/${target#fuzz_}"/*
done
