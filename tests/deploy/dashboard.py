"""The dashboard follows the schema, no panel covers another, and no two have one id or title."""
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    dashboard = json.load(file)

jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(dashboard, schema)

panels = dashboard["panels"]
ids = [panel["id"] for panel in panels]
assert len(set(ids)) == len(ids), "two panels have one id"
titles = [panel["title"] for panel in panels]
assert len(set(titles)) == len(titles), "two panels have one title"

covered = {}
for panel in panels:
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= 24, f"{panel['title']} is too far to the right"
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            other = covered.setdefault((x, y), panel["title"])
            assert other == panel["title"], f"{panel['title']} covers {other}"
