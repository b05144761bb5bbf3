#!/bin/sh
# Files, and functions of the library, that the pages for people name exist.
# shellcheck disable=SC2016 # the backquotes of Markdown
set -eu
export LC_ALL=C
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
cd "$top_srcdir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
find . \( -path ./.git -o -path './build*' \) -prune -o -type f -print | sed 's|^\.||' > "$work/files"
find libsvc include tests bench examples \( -name '*.[ch]' -o -name '*.sym' \) -exec cat {} + |
    grep -oE '\bsvc_[a-z0-9_]+' | sort -u > "$work/names"

for page in ARCHITECTURE.md HACKING.md README.md SECURITY.md docs/*.md; do
    # A path is whole from some folder on: `away.h`, `exchange/away.h`, `docs/tasks.md`. C code names files
    # of programs, and so do examples of lines, so only what stands in one pair of backquotes counts.
    awk '/^```/ { code = !code; next } !code' "$page" > "$work/text"
    grep -oE '`[A-Za-z0-9_./-]+`' "$work/text" | tr -d '`' |
        grep -E '^[a-z][a-z0-9_/-]*\.(c|h|sh|py|md|txt|am|awk)$|^[A-Z]+\.md$' | sort -u > "$work/paths" || true
    while read -r path; do
        grep -qE "/$path\$" "$work/files" || { echo "$page: there is no file $path"; failed=1; }
    done < "$work/paths"
    # A name that ends in _ is the beginning of several; static functions stand behind the file that has them.
    grep -oE '\bsvc_[a-z0-9_]+' "$work/text" | sort -u > "$work/said" || true
    while read -r name; do
        case $name in
        *_) grep -q "^$name" "$work/names" ;;
        *) grep -qx "$name" "$work/names" ;;
        esac || { echo "$page: there is no $name"; failed=1; }
    done < "$work/said"
    grep -oE '`[a-z_0-9]+`(, `[a-z_0-9]+`)* in `[a-z0-9_/]+\.[ch]`' "$work/text" > "$work/places" || true
    while read -r place; do
        file=$(echo "$place" | sed 's/.* in `\(.*\)`/\1/')
        for name in $(echo "$place" | sed 's/ in `.*//; s/[`,]//g'); do
            grep -qE "\b$name\b" "libsvc/$file" || { echo "$page: $file has no $name"; failed=1; }
        done
    done < "$work/places"
done
exit $failed
