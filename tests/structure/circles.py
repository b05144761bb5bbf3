"""Circles of files and of rooms, by includes and by the symbols that objects need of one another;
objects that need a room above their own; rooms with too many lines. A file is a header and its
source together. Arguments: the top of the sources, and of a build."""
import collections
import os
import re
import subprocess
import sys

source, build = (os.path.join(path, "libsvc") for path in sys.argv[1:3])
failed = False


def fail(text):
    global failed
    failed = True
    print(text)


def files(top, ending):
    for folder, _, names in os.walk(top):
        for name in names:
            if re.search(ending, name):
                yield os.path.join(folder, name)


def room_of(file):
    return os.path.dirname(file)


def read_table():
    """Room: (the most lines, the rooms that it may know)."""
    rooms = {}
    with open(os.path.join(sys.argv[1], "tests/structure/floors.txt")) as table:
        for line in table:
            if not line.startswith("#"):
                room, most, below = re.fullmatch(r"(\S+) (\d+):(.*)\n", line).groups()
                rooms[room] = int(most), set(below.split())
    return rooms


def read_includes(lines):
    """The graph of includes; counts the lines of each room on the way."""
    graph = collections.defaultdict(set)
    for path in files(source, r"\.[ch]$"):
        file = os.path.relpath(path, source)[:-2]
        with open(path) as text:
            content = text.read()
        lines[room_of(file)] += content.count("\n")
        for other in re.findall(r'^#include "libsvc/([\w/]+)\.h"', content, re.M):
            if other != file:
                graph[file].add(other)
    return graph


def is_optional(room):
    """Whether a room is an optional library, which has a version script of its own."""
    return os.path.exists(os.path.join(source, room, "libsvc-%s.sym" % room))


def read_symbols():
    """The graph of symbols, and the symbol that is the reason for each of its edges. Optional libraries use
    the exported ones, of whatever room."""
    with open(os.path.join(source, "libsvc.sym")) as script:
        public = set(re.findall(r"^ *(svc_\w+);$", script.read(), re.M))
    homes, needs, graph, why = {}, {}, collections.defaultdict(set), {}
    for path in files(build, r"^internal_la-.*\.o$"):
        folder, name = os.path.split(os.path.relpath(path, build))
        file = os.path.join(folder.replace(".libs", "").rstrip("/"), name[len("internal_la-"):-2])
        if not os.path.exists(os.path.join(source, file + ".c")):
            continue # of a file that has gone since
        needs[file] = set()
        nm = subprocess.run([os.environ.get("NM", "nm"), path], check=True, stdout=subprocess.PIPE,
                            universal_newlines=True)
        for *_, kind, symbol in map(str.split, nm.stdout.splitlines()):
            if kind == "U":
                needs[file].add(symbol)
            elif kind.isupper():
                homes[symbol] = file
    for file, symbols in needs.items():
        for symbol in sorted(symbols - (public if is_optional(room_of(file)) else set())):
            home = homes.get(symbol, file)
            if home != file:
                graph[file].add(home)
                why[file, home] = symbol
    if not graph:
        fail("no objects of the internal library in " + build)
    return graph, why


def find_circles(graph):
    """Strongly connected parts of more than one node (Tarjan)."""
    index, low, stack, circles = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                circles.append(set(stack[at:]))
            del stack[at:]

    for node in list(graph):
        if node not in index:
            visit(node)
    return circles


def to_rooms(graph):
    rooms = collections.defaultdict(set)
    for file, others in graph.items():
        rooms[room_of(file)] |= {room_of(other) for other in others} - {room_of(file)}
    return rooms


sys.setrecursionlimit(10000)
table, lines = read_table(), collections.Counter()
includes = read_includes(lines)
symbols, why = read_symbols()

for kind, graph in ("includes", includes), ("symbols", symbols):
    for circle in find_circles(graph):
        fail("a circle of files by %s: %s" % (kind, " ".join(sorted(circle))))
    for circle in find_circles(to_rooms(graph)):
        fail("a circle of rooms by %s: %s" % (kind, " ".join(sorted(circle))))

for (file, home), symbol in sorted(why.items()):
    room, other = room_of(file), room_of(home)
    if room != other and other not in table[room][1]:
        fail("%s needs %s of %s, which %s may not know" % (file, symbol, home, room))

for room, (most, _) in table.items():
    if lines[room] > most:
        fail("%s has %d lines, and %d are the most" % (room, lines[room], most))

sys.exit(failed)
