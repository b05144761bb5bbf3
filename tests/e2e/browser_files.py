"""The download server as Chromium uses it: browser_files.py CHROMIUM SERVER FOLDER."""

import base64
import gzip
import json
import os
import sys
import threading
import time

from browser import LIMIT_S, Browser, Server

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
MARKUP = "<img src=x onerror=alert(1)>\"'&.txt"
PAGE = """<!doctype html><link rel="icon" href="pixel.png"><link rel="stylesheet" href="style.css">
<p>plain</p><img src="pixel.png"><script src="app.3f2a9c1e.js"></script>"""


def make_files(root):
    files = {
        "site/index.html": PAGE,
        "site/style.css": "p { color: rgb(1, 2, 3) }",
        "site/app.3f2a9c1e.js": "document.title = 'the script ran'",
        "list/b.txt": "b",
        "list/a.txt": "aaa",
        "list/" + MARKUP: "markup",
        "größe.iso": "saved",
        "page.html": "<!doctype html><link rel=icon href=/site/pixel.png>plain",
    }
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    for name in ("site/pixel.png", "favicon.ico"):
        with open(f"{root}/{name}", "wb") as file:
            file.write(PIXEL)
    with gzip.open(f"{root}/page.html.gz", "wt") as file:
        file.write("<!doctype html><link rel=icon href=/site/pixel.png>compressed")
    with open(f"{root}/large.bin", "wb") as file:
        file.write(bytes(range(256)) * 4096)


def names(browser):
    return browser.value("[...document.querySelectorAll('tbody a')].map(link => link.textContent)")


def click(browser, selector):
    browser.load_by("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)}).click()")


def check_site(browser, url):
    """Types are right under nosniff: the style, the script and the picture are taken."""
    browser.show(f"{url}/site/")
    assert browser.value("document.title") == "the script ran"
    assert browser.value("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)"
    assert browser.value("document.querySelector('img').naturalWidth") == 1
    browser.show(f"{url}/page.html")
    assert browser.value("document.body.textContent") == "compressed"
    # A validation is answered 304, of which the browser makes the reply that it has kept.
    assert browser.value("fetch('/site/style.css', {cache: 'no-cache'}).then(reply => reply.text())") == \
        "p { color: rgb(1, 2, 3) }"


def check_listing(browser, url):
    """Sorted on request, and names stay text."""
    browser.show(f"{url}/list/")
    assert names(browser) == ["../", MARKUP, "a.txt", "b.txt"], names(browser)
    assert browser.value("document.images.length + document.scripts.length") == 0
    click(browser, "a[href='?sort=name&order=desc']")
    assert names(browser) == ["../", "b.txt", "a.txt", MARKUP], names(browser)
    click(browser, "a[href='?sort=size']")
    assert names(browser) == ["../", "b.txt", "a.txt", MARKUP], names(browser)
    click(browser, "tbody tr:last-child a")
    assert browser.value("document.body.textContent") == "markup"
    browser.show(f"{url}/")
    assert "list/" in names(browser) and "../" not in names(browser)


def check_parts(browser, url):
    browser.show(f"{url}/page.html")
    found = browser.value("fetch('/large.bin', {headers: {Range: 'bytes=250-259'}}).then(async reply => "
                          "[reply.status, ...new Uint8Array(await reply.arrayBuffer())])")
    assert found == [206, 250, 251, 252, 253, 254, 255, 0, 1, 2, 3], found


def read_saved(path):
    """What the browser has saved by now; None: no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check_download(browser, url, folder):
    """The name of RFC 8187 is the file's."""
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
    browser.call("Page.navigate", url=f"{url}/gr%C3%B6%C3%9Fe.iso")
    due = time.monotonic() + LIMIT_S
    while read_saved(f"{folder}/größe.iso") != "saved":
        assert time.monotonic() < due, os.listdir(folder)
        time.sleep(0.05)


def main():
    chromium, program, folder = sys.argv[1:4]
    timer = threading.Timer(5 * LIMIT_S, lambda: os._exit(1))
    timer.daemon = True
    timer.start()
    os.mkdir(f"{folder}/files")
    os.mkdir(f"{folder}/saved")
    make_files(f"{folder}/files")
    os.environ["SVC_FOLDER"] = f"{folder}/files"
    server = Server(program)
    browser = Browser(chromium, folder)
    url = f"http://{server.listening}"
    try:
        check_site(browser, url)
        check_listing(browser, url)
        check_parts(browser, url)
        check_download(browser, url, f"{folder}/saved")
        assert not browser.faults, browser.faults
        server.end()
    finally:
        browser.end()
        server.process.kill()
    print("the browser shows, lists, loads and saves files")


main()
