#!/bin/bash
# The readers of profiles that others have written, `go tool pprof` and google-pprof, find the function in which
# a service spends its time, and the one that has allocated what its heap holds.
set -eu
# shellcheck source=tests/pprof/served.sh
. "$top_srcdir/tests/pprof/served.sh"
need go golang-go
need google-pprof google-perftools
export PPROF_TMPDIR=$work HOME=$work

# With the names that the service knows, since the reader has no program; and with those of the program.
serve task
go tool pprof -top -symbolize=remote -seconds=2 "$url/profile" > "$work/report"
expect_most burn_in_task "$work/report"
go tool pprof -top -symbolize=local -seconds=1 "$program" "$url/profile" > "$work/report"
expect_most burn_in_task "$work/report"
google-pprof --text --seconds=1 "$url/profile" > "$work/report"
expect_most burn_in_task "$work/report"

# What the service refuses is shown to people.
! go tool pprof -top -seconds=61 "$url/profile" > "$work/report" 2>&1
grep -qF 'seconds must be a whole number from 1 to 60' "$work/report"

# The stacks of the file, for flame graphs; and the flame graph of the reader itself, by its own HTTP server.
curl -sS -o "$work/profile" "$url/profile?seconds=1"
google-pprof --collapsed "$program" "$work/profile" > "$work/report" 2> "$work/errors"
grep -q 'burn_in_task.* [0-9]*$' "$work/report"
stop_server

# With a token, as the password of any user.
token=0123456789abcdef0123456789abcdef
echo "$token" > "$work/token"
serve task "SVC_ADMIN_TOKEN_FILE=$work/token"
go tool pprof -top -symbolize=remote -seconds=1 "http://any:$token@${url#http://}/profile" > "$work/report"
expect_most burn_in_task "$work/report"
! go tool pprof -top -seconds=1 "$url/profile" > "$work/report" 2>&1
stop_server

library=$(ls /usr/lib/*/libtcmalloc.so.4)
serve heap "LD_PRELOAD=$library" TCMALLOC_SAMPLE_PARAMETER=65536
for symbolize in remote local; do
    go tool pprof -top -sample_index=inuse_space "-symbolize=$symbolize" "$program" "$url/heap" > "$work/report"
    expect_most hoard_memory "$work/report"
done
google-pprof --text "$url/heap" > "$work/report"
expect_most hoard_memory "$work/report"
stop_server

# With tcmalloc that takes no samples.
serve heap "LD_PRELOAD=$library"
curl -sS "$url/heap" | grep -q TCMALLOC_SAMPLE_PARAMETER
