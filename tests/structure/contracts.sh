#!/bin/sh
# Each public prototype has a comment right above it that ends in the release it came with.
set -eu
cd "$top_srcdir/include/svc"
awk '
    FNR == 1 { comment = ""; inside = 0 }
    /^\/\*/ { comment = ""; inside = 1 }
    inside { comment = comment $0; if (/\*\//) inside = 0; next }
    /^SVC_API/ {
        if (comment !~ /Since: [0-9]+\.[0-9]+ *\*\/$/) {
            print FILENAME ":" FNR ": no contract that ends in Since: above this"
            failed = 1
        }
    }
    /^$/ { comment = "" }
    END { exit failed }
' *.h sys/*.h
