#!/bin/sh
# The dashboard in the tree is the one that its list of panels gives, and follows the schema.
set -eu
python3 -c 'import jsonschema' 2> /dev/null ||
    { echo "SKIP: python3 with jsonschema (python3-jsonschema) is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$top_srcdir/deploy/grafana/dashboard.py" > "$work/made.json"
diff -u "$top_srcdir/deploy/grafana/libsvc.json" "$work/made.json"
cd "$top_srcdir/tests/deploy"
python3 dashboard.py dashboard_schema.json "$work/made.json"
