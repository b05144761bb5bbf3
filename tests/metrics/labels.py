#!/usr/bin/env python3
"""Whatever a label's value or a help text is, Prometheus' own Python client reads it back from the page in both
formats: what is UTF-8 as it was, and all else with U+FFFD as Python replaces it.

    labels.py SERVER    the program of labels.c; the values depend on SEED alone
"""
import collections
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import urllib.request

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
LONGEST = 1024  # bytes of a value
OTHER = "_OTHER"
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c != "\n")

# Texts that mean something in a page, or to a reader of lines.
MARKS = ['"', "\\", "\n", "\r", "{", "}", "=", ",", "#", " ", "\t", "\\n", '\\"', '"} 1\n', "# EOF\n", "# HELP a b\n",
         '",le="1"} 5', ' # {trace_id="a"} 1 2', "\x01", "\x0b", "\x0c", "\x1b[31m", "\x1c", "\x7f", "\x85", "\xa0",
         "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff", "\u0301", "é", "€", "\U0001f600", "\U0010ffff", "a", "le"]


def encode(text):
    return text.encode("utf-8", "surrogatepass")


def valid_texts(chance):
    yield from map(encode, MARKS)
    yield from (encode(chr(code)) for code in range(1, 0x400))
    for _ in range(1500):
        yield encode("".join(chance.choices(MARKS, k=chance.randrange(8))))
    for _ in range(500):
        codes = (chance.choice([chance.randrange(1, 0x80), chance.randrange(1, 0x3000), chance.randrange(1, 0x110000)])
                 for _ in range(chance.randrange(12)))
        yield encode("".join(chr(code) for code in codes if not 0xd800 <= code <= 0xdfff))
    yield b"x" * LONGEST


def other_bytes(chance):
    edges = [0x01, 0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
             0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff]
    yield from (bytes([a, b]) for a in edges for b in edges)
    for _ in range(1500):
        yield bytes(chance.choices(edges, k=chance.randrange(1, 7)))
    for _ in range(500):
        yield bytes(chance.randrange(1, 256) for _ in range(chance.randrange(1, 16)))
    for text in list(valid_texts(chance))[-600:-1]:  # some with a byte less
        cut = chance.randrange(len(text) + 1)
        yield text[:cut] + text[cut + 1:]
    yield encode("\ud800")
    yield b"x" * (LONGEST + 1)
    yield b"\xff" * (LONGEST // 3 + 1)  # too long once it is replaced


def read_back(text):
    return text.decode("utf-8", "replace")


def without_blanks(text):
    """The reader of Prometheus' text drops white space at the ends of a help text, before escapes are undone."""
    return text.strip(BLANKS)


def expected_series(values):
    """How often each pair is counted, and the series for pairs that are too long."""
    pairs = collections.Counter()
    for value, before in zip(values, [b""] + values):
        pair = (read_back(value), read_back(before))
        pairs[(OTHER, OTHER) if max(len(text.encode()) for text in pair) > LONGEST else pair] += 1
    return pairs


def fetch(address, accept):
    request = urllib.request.Request(f"http://{address}/metrics",
                                     headers={"Accept": accept, "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as reply:
        body = reply.read()
        if reply.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        assert reply.headers["Content-Type"] == accept, reply.headers["Content-Type"]
        return body.decode("utf-8")


def compare(what, found, wanted):
    if found == wanted:
        return
    for key in wanted:
        if found.get(key) != wanted[key]:
            print(f"{what}: {key!r} is {found.get(key)!r}, and should be {wanted[key]!r}")
    for key in found:
        if key not in wanted:
            print(f"{what}: {key!r} was never counted")
    sys.exit(1)


def check_page(what, families, values, read_help):
    """`read_help` is what the reader makes of a help text beside its escapes."""
    series = {"values_total": {}, "sizes_count": {}, "sizes_bucket": collections.Counter()}
    helps = {}
    for family in families:
        if family.name.startswith("gauge_"):
            helps[family.name] = family.documentation
        for sample in family.samples:
            if sample.name in series:
                series[sample.name][(sample.labels["first"], sample.labels["second"])] = sample.value
    wanted = expected_series(values)
    for name, found in series.items():
        compare(f"{what}, {name}", dict(found), dict(wanted))
    compare(f"{what}, help", helps,
            {f"gauge_{i}": read_help(read_back(value)) for i, value in enumerate(values[:1000]) if value})


def main():
    seed = int(os.environ.get("SEED", "1"))
    chance = random.Random(seed)
    values = list(valid_texts(chance)) + list(other_bytes(chance))
    chance.shuffle(values)
    settings = {"SVC_LISTEN": "127.0.0.1:0", "SVC_ADMIN_LISTEN": "127.0.0.1:0", "SVC_DRAIN_DELAY_MS": "0",
                "SVC_LOG_FORMAT": "json"}
    server = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=dict(os.environ, **settings))
    try:
        server.stdin.write(b"".join(value.hex().encode() + b"\n" for value in values))
        server.stdin.close()
        lines = map(json.loads, server.stdout)
        address = next(line["address"] for line in lines if line["msg"] == "admin pages")
        check_page("Prometheus' text", parser.text_string_to_metric_families(fetch(address, PROMETHEUS)), values,
                   without_blanks)
        check_page("OpenMetrics", openmetrics_parser.text_string_to_metric_families(fetch(address, OPENMETRICS)),
                   values, str)
    except BaseException:
        print(f"with SEED={seed}")
        raise
    finally:
        server.send_signal(signal.SIGTERM)
        server.stdout.read()
        status = server.wait()
    sys.exit(status)


main()
