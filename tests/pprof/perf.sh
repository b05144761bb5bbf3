#!/bin/bash
# The commands of docs/profiling.md for perf and flame graphs do what the page says.
set -eu
# shellcheck source=tests/pprof/served.sh
. "$top_srcdir/tests/pprof/served.sh"
need perf linux-perf
need go golang-go

# The block of commands behind the n-th line "<!-- tested -->" of the page.
commands() { # n
    awk -v n="$1" '/^<!-- tested -->$/ { n-- } /^```$/ { open = 0 } open && !n { print } /^```sh$/ { open = 1 }' \
        "$top_srcdir/docs/profiling.md"
}

serve task
cd "$work"
if ! perf record -q -p "$server_pid" -o probe.data -- true > probe 2>&1; then
    echo "SKIP: perf cannot record here: $(tr '\n' ' ' < probe | cut -c1-200)"
    exit 77
fi
export PID=$server_pid HOME=$work PPROF_TMPDIR=$work ADDRESS=$admin
for n in 1 2; do
    commands "$n" > "commands$n"
    [ -s "commands$n" ] || { echo "profiling.md lacks block $n"; exit 1; }
    bash -eux "commands$n" > "output$n" 2>&1 || { cat "output$n"; exit 1; }
done
grep -q 'svc-burner.*burn_in_task' output1 || { cat output1; exit 1; }
grep -q ';burn_in_task [0-9]*$' folded || { echo "the folded stacks:"; cat folded; exit 1; }
grep -q burn_in_task flame.json
