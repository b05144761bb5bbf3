#!/bin/sh
# Every fuzz target lives through every input of its corpus.
set -eu
for source in "$top_srcdir"/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    "$top_builddir/fuzz/$target" "$top_srcdir/fuzz/corpus/${target#fuzz_}"/*
done
