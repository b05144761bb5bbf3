#!/bin/sh
# Where somebody has run ./configure in the source folder, the scripts say what to do and do nothing else.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/scripts"
cp "$top_srcdir"/scripts/* "$work/scripts"
touch "$work/config.status"
for script in check fuzz run; do
    status=0
    bash "$work/scripts/$script" > "$work/said" 2>&1 || status=$?
    [ $status -eq 2 ] || { echo "scripts/$script ends with $status"; cat "$work/said"; exit 1; }
    grep -q 'make distclean' "$work/said" || { echo "scripts/$script says:"; cat "$work/said"; exit 1; }
    [ ! -e "$work/build" ] || { echo "scripts/$script has begun to build"; exit 1; }
done
