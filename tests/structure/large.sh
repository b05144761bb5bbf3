#!/bin/sh
# No test has a static array of more than four megabytes: it would be searched for leaks at the end of every test of
# its program (tests/support/large.h).
set -eu
limit=4194304
find tests -type f -perm -u+x ! -name '*.sh' -exec sh -c 'nm -S --radix=d "$@" 2> /dev/null' sh {} + |
    awk -v limit=$limit '$3 ~ /^[bBdD]$/ && $2 + 0 > limit && $4 !~ /^(_Z|__asan|__sanitizer|__ubsan|__tsan)/ {
        print $4 " has " $2 + 0 " bytes"
        found = 1
    }
    END { exit found }'
