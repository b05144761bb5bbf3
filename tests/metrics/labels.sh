#!/bin/sh
# Values of labels through the parsers of Prometheus' Python client, which Debian has for its own Python.
set -eu
for python in python3 /usr/bin/python3; do
    ! "$python" -c 'import prometheus_client' 2> /dev/null || break
    python=
done
[ -n "$python" ] || { echo "SKIP: there is no python3-prometheus-client to read pages of metrics"; exit 77; }
"$python" "$top_srcdir/tests/metrics/labels.py" "$top_builddir/tests/metrics/labels"
