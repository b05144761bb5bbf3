#!/bin/sh
# A back-trace and a profile name functions without their files: no static function's name stands in
# more than three files of the library.
set -eu
cd "$top_srcdir"
find libsvc -name '*.[ch]' | sort | xargs awk '
    /^static [^=;]*[ *][a-z_0-9]+\(/ {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        if (!seen[name, FILENAME]++) {
            count[name]++
            files[name] = files[name] " " FILENAME
        }
    }
    END {
        for (name in count)
            if (count[name] > 3) { print count[name], name ":" files[name]; failed = 1 }
        exit failed
    }'
