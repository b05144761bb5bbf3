"""The gallery as Chromium uses it: browser_gallery.py CHROMIUM SERVER FOLDER."""

import base64
import os
import sys
import threading
import urllib.parse
import urllib.request

from browser import LIMIT_S, Browser, Server

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
PICTURES = ("pixel.png", 'größe "2".png')
SHOWN = "[...document.querySelectorAll('#pictures img')].filter(image => image.complete && image.naturalWidth).length"
SAID = "document.querySelector('#state').textContent"


LISTED = "performance.getEntriesByType('resource').some(entry => entry.name.includes('/pictures/?'))"


class Gallery(Browser):
    """Notes which replies came over the network, by their path, and which from the browser's cache."""

    def __init__(self, program, folder):
        self.forget()
        super().__init__(program, folder)

    def forget(self):
        self.paths, self.statuses, self.cached = {}, {}, set()

    def note(self, method, params):
        super().note(method, params)
        if method == "Network.requestWillBeSent":
            self.paths[params["requestId"]] = urllib.parse.urlsplit(params["request"]["url"]).path
        if method == "Network.responseReceivedExtraInfo":  # as sent: a page sees 200 instead of 304
            self.statuses[params["requestId"]] = params["statusCode"]
        if method == "Network.responseReceived" and params["response"]["fromDiskCache"]:
            self.cached.add(params["requestId"])
        if method == "Network.requestServedFromCache":
            self.cached.add(params["requestId"])

    def read_statuses(self, paths):
        """Of these paths, once their replies are there."""
        while True:
            found = {self.paths.get(request): status for request, status in self.statuses.items()}
            if found.keys() >= set(paths):
                return [found[path] for path in paths]
            self.read_message()


def choose(browser, *paths):
    """As a user who picks files, and clicks."""
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    chooser = browser.call("DOM.querySelector", nodeId=root, selector="#picture")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=chooser, files=paths)
    browser.value("document.querySelector('button').click()")


def upload_elsewhere(url):
    """Another client adds a picture."""
    body = (b'--x\r\nContent-Disposition: form-data; name="picture"; filename="p.png"\r\n\r\n' + PIXEL + b"\r\n--x--\r\n")
    request = urllib.request.Request(f"{url}/pictures", body, {"Content-Type": "multipart/form-data; boundary=x"})
    with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
        assert reply.url == f"{url}/", reply.url


def open_page(browser, url):
    """Has read the list, which it does behind the beginning of its events: what comes now is an event."""
    browser.show(f"{url}/")
    browser.wait(LISTED)
    browser.value("window.isFirst = true")
    return browser.session


def check_uploads(browser, url, folder):
    """Each open window shows each picture, without a reload."""
    windows = [open_page(browser, url)]
    browser.open_window()
    windows.append(open_page(browser, url))
    browser.session = windows[0]
    choose(browser, *(f"{folder}/{name}" for name in PICTURES))
    browser.wait(f"{SAID} === 'Uploaded.'")
    for count in (2, 3):
        for window in windows:
            browser.session = window
            browser.wait(f"{SHOWN} === {count}")
            assert browser.value("window.isFirst")
        if count == 2:
            upload_elsewhere(url)
    assert not browser.faults, browser.faults


def check_reload(browser):
    """The page is validated and not sent again; pictures are not even asked for."""
    browser.call("Network.enable")
    browser.forget()
    browser.load_by("Page.reload")
    browser.wait(f"{SHOWN} === 3")
    assert not browser.value("window.isFirst")
    assert browser.read_statuses(["/", "/gallery.css", "/gallery.js"]) == [304, 304, 304], browser.statuses
    pictures = {request for request, path in browser.paths.items() if path.endswith(".png")}
    assert len(pictures) == 3 and pictures <= browser.cached, (browser.paths, browser.cached)
    assert not browser.faults, browser.faults


def check_refusal(browser, folder):
    """The reason stands on the page; the browser logs the status as an error."""
    choose(browser, f"{folder}/text.png")
    browser.wait(f"{SAID}.includes('a JPEG, PNG, GIF or WebP')")
    assert browser.value(SHOWN) == 3
    assert all("415" in fault for fault in browser.faults), browser.faults


def main():
    chromium, program, folder = sys.argv[1:4]
    timer = threading.Timer(5 * LIMIT_S, lambda: os._exit(1))
    timer.daemon = True
    timer.start()
    os.mkdir(f"{folder}/pictures")
    for name, data in ((PICTURES[0], PIXEL), (PICTURES[1], PIXEL), ("text.png", b"no picture")):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    os.environ["SVC_FOLDER"] = f"{folder}/pictures"
    server = Server(program)
    browser = Gallery(chromium, folder)
    try:
        check_uploads(browser, f"http://{server.listening}", folder)
        check_reload(browser)
        check_refusal(browser, folder)
        server.end()
    finally:
        browser.end()
        server.process.kill()
    print("the browser uploads pictures, shows them as they come, and keeps them")


main()
