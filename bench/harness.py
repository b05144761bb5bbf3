"""Shared by the benchmarks: peers as processes, their CPU time, wrk, and medians.

A peer is a shell file in bench/peers: `packages` names its Debian packages, build() makes it in
$out, serve() becomes the server on 127.0.0.1:$port with $threads threads, answering $path with $body as
$type. A workload is a shell file in bench/workloads that sets some of the names in DEFAULTS.
"""
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
TOP = BENCH.parent
BUILD = TOP / "build" / "release"
OUT = BUILD / "peers"
DEFAULTS = {
    "path": "/",
    "type": "text/plain",
    "body": "Hello, World!",
    "stack": "none",
    "peers": "floor lean mhd nginx go svc",
    "connections": "64",
    "rounds": "9",
    "seconds": "2",
    "loops": "1",
    "clients": "1",  # threads of the load tool
    "pinned": "yes",  # the server to one core, the load tool to the other; else nobody to any
}
TOOLS = ["wrk", "gcc", "make"]


def run(*command, **options):
    return subprocess.run(command, check=True, cwd=TOP, text=True, **options)


def shell(script, **variables):
    """Runs a line of bash with variables set; returns its output."""
    env = dict(os.environ, out=str(OUT), build=str(BUILD), **variables)
    return run("bash", "-euc", script, env=env, stdout=subprocess.PIPE).stdout


def install(packages):
    run("bash", "-euc", '. scripts/common.sh; install_packages $build_packages "$@"', "install", *packages)


def configure():
    """Makes build/release, as scripts/check does: the library as a distribution would build it."""
    run("bash", "-euc", ". scripts/common.sh; make_configure")
    OUT.mkdir(parents=True, exist_ok=True)
    if not (BUILD / "Makefile").exists():
        subprocess.run(["../../configure", "--quiet", f"--prefix={TOP}/build/prefix"], check=True, cwd=BUILD)


def prepare(peers):
    """Installs missing packages, and builds the library and the peers."""
    packages = shell("".join(f"packages=; . bench/peers/{peer}.sh; echo $packages; " for peer in peers))
    install([*TOOLS, *packages.split()])
    configure()
    run("make", "-s", "-j2", "-C", str(BUILD), "libsvc.la", stdout=subprocess.DEVNULL)
    for peer in peers:
        shell(f". bench/peers/{peer}.sh; build")


def workload(name):
    script = "set -a; " + "".join(f"{k}={shlex.quote(v)}; " for k, v in DEFAULTS.items())
    script += f". bench/workloads/{name}.sh; env -0"
    found = dict(item.split("=", 1) for item in shell(script).split("\0") if "=" in item)
    return {key: found[key] for key in DEFAULTS}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tasks(pid):
    """The threads of a process and of its children."""
    for task in os.listdir(f"/proc/{pid}/task"):
        yield f"/proc/{pid}/task/{task}"
        for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
            yield from tasks(child)


def pinning(cpus):
    return ["taskset", "-c", cpus] if cpus else []


class Server:
    """A peer that serves a workload, pinned to `cpus` (None: to none), until it is closed."""

    def __init__(self, peer, work, threads=1, cpus="0", stderr=None):
        self.name = peer
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.port = free_port()
        self.path = work["path"]
        variables = dict(work, port=str(self.port), threads=str(threads), out=str(OUT),
                         work=str(self.directory))
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*pinning(cpus), "bash", "-euc", f". bench/peers/{peer}.sh; serve"], cwd=TOP,
            env=dict(os.environ, **variables), stderr=stderr)
        self.start_ms = self.await_answer()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def exchange(self, client):
        client.sendall(f"GET {self.path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return client.recv(4096)

    def ask(self):
        with self.connect() as client:
            return self.exchange(client)

    def await_answer(self):
        deadline = self.began + 10
        while time.monotonic() < deadline:
            try:
                if self.ask().startswith(b"HTTP/1.1 200"):
                    return (time.monotonic() - self.began) * 1000
            except ConnectionRefusedError:
                time.sleep(0.0005)
        raise RuntimeError(f"{self.name} does not answer")

    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def cpu_ns(self):
        return sum(int(pathlib.Path(task, "schedstat").read_text().split()[0])
                   for task in tasks(self.process.pid))

    def resident_bytes(self):
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


TIMES = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * TIMES[unit]


def wrk(server, connections, seconds, cpus="1", under=(), clients=1):
    """One run of load by so many threads: requests, a second, CPU a request in microseconds, p50 and p99.
    `under` is a command that runs it."""
    before = server.cpu_ns()
    text = run(*pinning(cpus), *under, "wrk", f"-t{min(clients, connections)}", f"-c{connections}",
               f"-d{seconds}s", "--latency", "--timeout", "10s", server.url(), stdout=subprocess.PIPE).stdout
    cpu_us = (server.cpu_ns() - before) / 1000
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if not requests or re.search(r"Non-2xx|Socket errors", text):
        raise RuntimeError(f"{server.name}: {text}")
    return {
        "requests": requests,
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "cpu_us": cpu_us / requests,
        "p50_us": microseconds(re.search(r"^\s+50%\s+(\S+) *$", text, re.M).group(1)),
        "p99_us": microseconds(re.search(r"^\s+99%\s+(\S+) *$", text, re.M).group(1)),
    }


def median(values):
    return statistics.median(values)
