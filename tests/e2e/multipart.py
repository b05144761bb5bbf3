"""Sends forms by aiohttp, and compares what the server has received: multipart.py ADDRESS FOLDER.

The server names each file by the number of its part, in FOLDER/kept.
"""
import asyncio
import io
import os
import sys

import aiohttp

LIMIT_S = 120
BINARY = "application/octet-stream"
LARGE = 10_000_000
FIELDS = [("a", "1"), ("a", ""), ("b c&d=e", "+ % €\r\nä"), ("größe \"x\"", "日本")]


class Form:
    """An aiohttp form, and what the server has to answer to it."""

    def __init__(self, quote_fields):
        self.data, self.answer, self.files = aiohttp.FormData(quote_fields=quote_fields), [], {}

    def add_value(self, name, value):
        self.data.add_field(name, value)
        self.answer.append({"name": name, "value": value})

    def add_file(self, name, filename, content, received=None, kind=BINARY):
        """`received` is the file's name as it arrives, if it is not `filename`."""
        self.data.add_field(name, io.BytesIO(content), filename=filename, content_type=kind)
        self.files[len(self.answer)] = content
        self.answer.append({"name": name, "filename": received or filename, "type": kind, "size": len(content)})


def take_kept(folder):
    """The files that were kept, by the number of their part."""
    kept = {}
    for entry in list(os.scandir(f"{folder}/kept")):
        with open(entry.path, "rb") as file:
            kept[int(entry.name)] = file.read()
        os.remove(entry.path)
    return kept


async def send(session, path, data, **options):
    async with session.post(path, data=data, **options) as reply:
        assert reply.status == 200, (reply.status, await reply.text())
        return await reply.json()


async def check_form(session, folder, form, **options):
    answer = await send(session, "/parts", form.data, **options)
    assert answer == form.answer, f"{answer}, and not {form.answer}"
    assert take_kept(folder) == form.files


def make_form():
    form = Form(quote_fields=False)
    for name, value in FIELDS:
        form.add_value(name, value)
    form.add_file("file", "plain.txt", b"some text", kind="text/plain")
    form.add_file("file", "the same field.txt", b"\r\n--\r\n")
    form.add_file('"quoted"', 'say "hi"; name=x.txt', b"q")
    form.add_file("größe", "größe 日本 🙂.bin", bytes(range(256)))
    form.add_file("empty", "empty.bin", b"")
    form.add_file("path", "C:\\folder\\name.txt", b"p", received="name.txt")
    form.add_file("large", "large.bin", os.urandom(LARGE))
    return form


async def check_quoted(session, folder):
    """By default aiohttp escapes all that is not ASCII: names of files as in URLs, which stay so, and
    names of fields by `name*`, which RFC 7578 does not have."""
    form = Form(quote_fields=True)
    form.add_file('a"b', 'say"hi".txt', b"q")
    form.add_file("c", "größe.txt", b"g", received="gr%C3%B6%C3%9Fe.txt")
    await check_form(session, folder, form)
    unnamed = Form(quote_fields=True)
    unnamed.add_file("größe", "a.txt", b"g")
    async with session.post("/parts", data=unnamed.data) as reply:
        assert reply.status == 400 and "name" in await reply.text(), reply.status
    assert not take_kept(folder)


async def check_fields(session):
    """A form without files is read alike, in one text or as parts."""
    wanted = [list(field) for field in FIELDS]
    answer = await send(session, "/fields", FIELDS)
    assert answer == wanted, answer
    parts = aiohttp.FormData(quote_fields=False)
    for name, value in FIELDS:
        parts.add_field(name, value, content_type="text/plain; charset=utf-8")
    answer = await send(session, "/fields", parts)
    assert answer == wanted, answer


async def main():
    address, folder = sys.argv[1:3]
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession(f"http://{address}", timeout=timeout) as session:
        await check_form(session, folder, make_form())
        await check_form(session, folder, make_form(), chunked=True)
        await check_quoted(session, folder)
        await check_fields(session)


asyncio.run(main())
