#!/bin/sh
# Each public prototype has a comment right above it that ends in the release it came with. Where that says
# that the result is the caller's to free, or the result counts bytes, the compiler reports who ignores it. What
# came after the first release is in NEWS by its name.
set -eu
cd "$top_srcdir/include/svc"
awk -v news=../../NEWS '
    BEGIN { while ((getline line < news) > 0) reported = reported line " " }
    FNR == 1 { comment = ""; inside = 0 }
    /^\/\*/ { comment = ""; inside = 1 }
    inside { comment = comment $0; if (/\*\//) inside = 0; next }
    /^SVC_API/ {
        if (comment !~ /Since: [0-9]+\.[0-9]+ *\*\/$/) {
            print FILENAME ":" FNR ": no contract that ends in Since: above this"
            failed = 1
        }
        prototype = $0
        for (; prototype !~ /;|{/ && (getline line) > 0;)
            prototype = prototype line
        match(prototype, /svc_[a-z0-9_]+\(/)
        name = substr(prototype, RSTART, RLENGTH - 1)
        if (comment !~ /Since: 0\.1 *\*\/$/ && reported !~ name) {
            print FILENAME ":" FNR ": " name " is not in NEWS"
            failed = 1
        }
        caller_frees = comment ~ /(The caller frees|caller gives back|Owned by the caller)/
        if ((caller_frees || prototype ~ /int64_t svc/) && prototype !~ /SVC_MUST_CHECK|uint64_t svc|void svc/) {
            print FILENAME ":" FNR ": this result is not to be ignored: SVC_MUST_CHECK"
            failed = 1
        }
    }
    /^$/ { comment = "" }
    END { exit failed }
' *.h sys/*.h
