"""The status page as Chromium shows it: browser.py CHROMIUM SERVER FOLDER [SCREENSHOTS].

The browser is led by its DevTools protocol: messages of JSON that end in a NUL, on the descriptors 3 and 4.
"""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

LIMIT_S = 120  # of each wait; only a test that fails reaches it
PHONE = 360    # pixels
MARKUP = "<script>alert(1)</script>\"'&"
ENV = {"SVC_LISTEN": "127.0.0.1:0", "SVC_ADMIN_LISTEN": "127.0.0.1:0", "SVC_DRAIN_DELAY_MS": "0",
       "SVC_DEBUG_PAGES": "on", "SVC_LOG_FORMAT": "json", "SVC_WORKER_QUEUE_MS": "600000"}


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **ENV})
        self.listening, self.admin = (self.read_address(name) for name in ("listening", "admin pages"))
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def read_address(self, message):
        for line in self.process.stdout:
            if json.loads(line)["msg"] == message:
                return json.loads(line)["address"]
        raise SystemExit(f"the server has not logged: {message}")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.listening}{path}", timeout=LIMIT_S) as reply:
            return reply.read()

    def hold(self, path):
        """A request that is in flight until the end."""
        threading.Thread(target=self.get, args=(path,), daemon=True).start()

    def end(self):
        self.process.stdin.write("r")  # LIFE_RELEASE
        self.process.stdin.flush()
        self.process.terminate()
        assert self.process.wait(LIMIT_S) == 0


class Browser:
    def __init__(self, program, folder):
        to_browser, self.to = os.pipe()
        self.fro, from_browser = os.pipe()
        self.home = f"{folder}/browser"
        os.mkdir(self.home)
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                   f"--user-data-dir={self.home}/profile", "--no-first-run", "about:blank"]

        def place_pipes():
            """On 3 and 4, whatever numbers they have."""
            reading, writing = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(command, preexec_fn=place_pipes, close_fds=False, start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "HOME": self.home})
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.session, self.faults, self.loaded = 0, b"", None, [], set()
        self.open_window()

    def open_window(self):
        """Calls are for this window from now on; whoever sets `session` comes back to another."""
        self.session = None
        target = self.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "CSS"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def read_message(self):
        while b"\0" not in self.rest:
            piece = os.read(self.fro, 65536)
            if not piece:
                raise SystemExit("the browser has ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        self.note(message.get("method"), message.get("params"))
        return message

    def note(self, method, params):
        """What may be on no page: an error in the console, a violation of the policy, an exception."""
        if method == "Page.lifecycleEvent" and params["name"] == "load":
            self.loaded.add(params["loaderId"])
        if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.faults.append(params["entry"]["text"])
        if method == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(params["exceptionDetails"]))
        if method == "Runtime.consoleAPICalled":
            self.faults.append(json.dumps(params["args"]))

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.read_message()
            if reply.get("id") == self.number:
                assert "error" not in reply, (method, reply)
                return reply["result"]

    def show(self, url):
        """Until this page is loaded: the end of another load, such as that of the empty page, may come yet."""
        loader = self.call("Page.navigate", url=url)["loaderId"]
        while loader not in self.loaded:
            self.read_message()

    def load_by(self, method, **params):
        """A call by which the page that is shown makes room for another."""
        before = set(self.loaded)
        self.call(method, **params)
        while self.loaded == before:
            self.read_message()

    def value(self, expression):
        reply = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def wait(self, condition):
        """Until the expression is true, with a look at each frame of the page."""
        return self.value(f"new Promise(done => {{ const look = () => ({condition}) ? done(true) : "
                          f"setTimeout(look, 50); look(); }})")

    def await_true(self, expression):
        """Asks for the value of an expression, which may be a promise, until it is true."""
        due = time.monotonic() + LIMIT_S
        while not self.value(expression):
            assert time.monotonic() < due, expression

    def resize(self, width):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=2,
                  mobile=width < 700)

    def box_width(self, selector):
        """Without the page's own script: the width of an element with all that overflows it."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        return self.call("DOM.getBoxModel", nodeId=node)["model"]["width"]

    def picture(self, path):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def end(self):
        """With all processes of the browser, some of which outlive the first one and write into its folder."""
        self.process.terminate()
        self.process.wait(LIMIT_S)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        while os.path.exists(self.home):
            shutil.rmtree(self.home, ignore_errors=True)


def check_script(browser, server, url):
    """The tables refresh, and what comes from the network stays text."""
    browser.show(url)
    server.get("/hello/ada")
    assert browser.wait("document.querySelector('#routes').innerText.includes('/hello/{name}')")
    assert browser.wait("document.querySelector('#live').textContent.startsWith('as of ')")
    server.hold("/raw%FF%3Cscript%3Ealert(1)%3C/script%3E%22'&/7")
    assert browser.wait(f"document.querySelector('#in_flight').textContent.includes({json.dumps(MARKUP)})")
    assert browser.value("document.scripts.length") == 1
    assert browser.value("document.querySelectorAll('main script, main b').length") == 0
    assert browser.value("document.querySelector('h1').textContent") == "<b>status</b>"
    # What the script shows is in the same form as what the page has come with.
    # (The style is left out, since the policy has the nonce of the page that is shown. A table of one moment may have
    # other numbers than that of another.)
    fresh = ("fetch('').then(reply => reply.text()).then(text => new DOMParser().parseFromString("
             "text.replace(/<style[^]*<.style>/, ''), 'text/html')")
    for table in ("loops", "settings", "tasks", "route_table"):
        browser.await_true(f"{fresh}.querySelector('#{table} tbody').innerHTML.replace(/\\n/g, '') === "
                           f"document.querySelector('#{table} tbody').innerHTML.replace(/\\n/g, ''))")


def check_width(browser, url, pictures):
    """On a phone nothing stands out at the side, with every table open."""
    for width in (PHONE, 700, 1280):
        browser.resize(width)
        browser.show(url)
        browser.value("document.querySelectorAll('details').forEach(table => table.open = true)")
        needed = browser.value("document.documentElement.scrollWidth")
        assert needed <= width, f"{needed} pixels are needed of {width}"
        if pictures:
            browser.picture(f"{pictures}/{width}.png")


def check_without_script(browser, url, pictures):
    browser.resize(PHONE)
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.show(url)
    root = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="main")["nodeId"]
    html = browser.call("DOM.getOuterHTML", nodeId=node)["outerHTML"]
    for text in ("/hello/{name}", "GET /hold", "SVC_MAX_BODY_BYTES", "idler", "admin pages"):
        assert text in html, text
    assert len(re.findall("<tr>", html)) > 50
    live = browser.call("DOM.querySelector", nodeId=root, selector="#live")["nodeId"]
    assert browser.call("DOM.getOuterHTML", nodeId=live)["outerHTML"].endswith('role="status"></span>')
    assert browser.box_width("body") <= PHONE
    if pictures:
        browser.picture(f"{pictures}/without-script.png")


def main():
    chromium, program, folder = sys.argv[1:4]
    pictures = sys.argv[4] if len(sys.argv) > 4 else None
    timer = threading.Timer(5 * LIMIT_S, lambda: os._exit(1))
    timer.daemon = True
    timer.start()
    server = Server(program)
    browser = Browser(chromium, folder)
    url = f"http://{server.admin}/debug/"
    try:
        check_script(browser, server, url)
        check_width(browser, url, pictures)
        check_without_script(browser, url, pictures)
        assert not browser.faults, browser.faults
        server.end()
    finally:
        browser.end()
        server.process.kill()
    print("the page has its tables, refreshes them, and fits a phone")


if __name__ == "__main__":
    main()
