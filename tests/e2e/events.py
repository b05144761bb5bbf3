"""Reads event streams as other programs do, directly and through proxies.

    events.py SERVER FOLDER [peers]
"""
import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request

try:
    import aiohttp
except ImportError:
    aiohttp = None

LIMIT_S = 60


def start_server(program):
    settings = {"SVC_LISTEN": "127.0.0.1:0", "SVC_ADMIN_LISTEN": "", "SVC_DRAIN_DELAY_MS": "0"}
    process = subprocess.Popen([program], env={**os.environ, **settings}, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if '"msg":"listening"' in line:
            address = json.loads(line)["address"]
            threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits
            return process, address
    raise RuntimeError("the server does not listen")


def publish(url, number):
    request = urllib.request.Request(f"{url}/publish/drops?id={number}&data=event{number}", method="POST")
    with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
        assert reply.status == 204, reply.status


def event(number):
    return f"id: {number}\ndata: event{number}\n\n".encode()


def check_curl(direct, url):
    """Each event comes when it is published: the next one is published when curl has given the last."""
    with subprocess.Popen(["curl", "-sSN", "--max-time", str(LIMIT_S), f"{url}/watch/drops?beats=1"],
                          stdout=subprocess.PIPE) as curl:
        seen = read_until(curl.stdout, b"retry: 3000\n\n")
        for number in (1, 2, 3):
            publish(direct, number)
            seen = read_until(curl.stdout, event(number))
        read_until(curl.stdout, b":\n\n")
        curl.terminate()
    del seen


def read_until(file, text):
    seen = b""
    while text not in seen:
        piece = os.read(file.fileno(), 65536)
        assert piece, f"the stream ends after {seen!r}"
        seen += piece
    return seen


async def read_aiohttp(direct, url):
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        async with session.get(f"{url}/watch/drops", headers={"Last-Event-ID": "2"}) as reply:
            assert reply.headers["Content-Type"] == "text/event-stream", reply.headers
            assert "no-store" in reply.headers["Cache-Control"], reply.headers
            seen = b""
            async for piece in reply.content.iter_any():
                seen += piece
                if event(3) in seen and event(4) not in seen:
                    await asyncio.to_thread(publish, direct, 4)
                if event(4) in seen:
                    break
            assert event(2) not in seen and event(3) + event(4) in seen.replace(b":\n\n", b""), seen
        async with session.get(f"{url}/greet") as reply:
            whole = await reply.read()
            assert whole == b"retry: 3000\n\nevent: hello\nid: 1\ndata: a\ndata: b\n\n", whole


def check(direct, url, name):
    check_curl(direct, url)
    if aiohttp:
        asyncio.run(read_aiohttp(direct, url))
    print(f"{name}: as it should be")


@contextlib.contextmanager
def kept_port():
    """A port that the system gives to nobody else meanwhile, and that a proxy, which sets SO_REUSEADDR, can have."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def await_port(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
            return
        except ConnectionRefusedError:
            pass
    raise RuntimeError("the proxy does not start")


def behind(command, port, direct, name):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        check(direct, f"http://127.0.0.1:{port}", name)
    finally:
        process.terminate()
        process.wait()


def check_nginx(program, address, direct, folder, port):
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(f"""daemon off; pid {folder}/nginx.pid; error_log stderr; events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://{address}; proxy_http_version 1.1; gzip on; gzip_types *; }}
    }}
}}
""")
    behind([program, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", "stderr"], port, direct, "NGINX")


def check_haproxy(program, address, direct, folder, port):
    with open(f"{folder}/haproxy.cfg", "w", encoding="utf-8") as file:
        file.write(f"""defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend all
    bind 127.0.0.1:{port}
    default_backend service
backend service
    server one {address}
""")
    behind([program, "-f", f"{folder}/haproxy.cfg"], port, direct, "HAProxy")


def main():
    program, folder = sys.argv[1:3]
    peers = sys.argv[3:] == ["peers"]
    timer = threading.Timer(4 * LIMIT_S, lambda: os._exit(1))
    timer.daemon = True
    timer.start()
    process, address = start_server(program)
    direct = f"http://{address}"
    path = os.environ["PATH"] + ":/usr/sbin"
    nginx, haproxy = shutil.which("nginx", path=path), shutil.which("haproxy", path=path)
    try:
        check(direct, direct, "directly")
        with kept_port() as port:
            if nginx:
                check_nginx(nginx, address, direct, folder, port)
            if haproxy and peers:
                check_haproxy(haproxy, address, direct, folder, port)
    finally:
        process.terminate()
    assert process.wait(LIMIT_S) == 0, process.returncode
    missing = [name for name, found in (("aiohttp", aiohttp), ("NGINX", nginx)) if not found]
    if missing:
        print(f"SKIP: not installed: {', '.join(missing)}")
        sys.exit(77)


main()
