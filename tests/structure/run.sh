#!/bin/sh
# tests/run tells what a program's tests came to, whatever the program does.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TEST_COUNTS=$work/counts
TEST_LIMIT_S=1
export TEST_COUNTS TEST_LIMIT_S

# Runs a program of these lines, and compares its status, its counts and a text of its output.
expect() { # status counts text lines
    printf '#!/bin/sh\n%s\n' "$4" > "$work/program"
    chmod +x "$work/program"
    : > "$TEST_COUNTS"
    status=0
    sh "$top_srcdir/tests/run" "$work/program" > "$work/output" 2>&1 || status=$?
    counts=$(sed -n 's/^COUNT \([0-9]* [0-9]* [0-9]*\) .*/\1/p' "$TEST_COUNTS")
    if [ "$status" -ne "$1" ] || [ "$counts" != "$2" ] || ! grep -q "$3" "$work/output" "$TEST_COUNTS"; then
        printf 'status %s, counts %s, of:\n%s\n' "$status" "$counts" "$4"
        cat "$work/output" "$TEST_COUNTS"
        exit 1
    fi
}

# Programs with one test each
expect 0 '1 0 0' 'said' 'echo said'
expect 3 '0 1 0' 'said' 'echo said; exit 3'
expect 139 '0 1 0' 'said' 'echo said; kill -SEGV $$'
expect 77 '0 0 1' '^SKIP no device$' 'echo "SKIP: no device"; exit 77'
expect 143 '0 1 0' 'has written nothing for 1 s' 'sleep 60'
expect 137 '0 1 0' 'has written nothing for 1 s' 'trap "" TERM; sleep 60; sleep 60'
expect 1 '0 1 0' 'a sanitizer has reported' 'echo found > "${ASAN_OPTIONS##*log_path=}.1"'

# Programs of Criterion's, as which those are known that mention its library
synthesis='echo "[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 0 | Crashing: 0 "'
skip='echo "[SKIP] suite::test: no device"'
expect 0 '3 0 1' '^SKIP no device$' "$synthesis; $skip # libcriterion"
expect 1 '3 2 0' 'Failing: 2' "$synthesis | sed 's/Failing: 0/Failing: 2/'; exit 1 # libcriterion"
expect 1 '3 2 0' 'Failing: 2' "$synthesis | sed 's/Failing: 0/Failing: 2/' # libcriterion"
expect 1 '3 1 0' 'a sanitizer has reported' \
    "$synthesis; echo found > \"\${ASAN_OPTIONS##*log_path=}.1\" # libcriterion"
expect 1 '0 1 0' 'has ended without a test' 'true # libcriterion'
expect 139 '0 1 0' 'said' 'echo said; kill -SEGV $$ # libcriterion'
expect 143 '0 1 0' '^HUNG: suite::two$' 'echo "[RUN ] suite::one"; echo "[RUN ] suite::two"
echo "[PASS] suite::one: (0.00s)"; sleep 60 # libcriterion'
