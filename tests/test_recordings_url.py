"""Recordings that the site's own web server has: fetched in pieces, from its host alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientError, web

from monitord.config import ConfigError
from monitord.recordings import remote
from monitord.recordings.template import Template, fault_of
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.stores import SqliteStore
from tests.test_recordings import (
    CALL,
    PEOPLE,
    SOUND,
    SPOOL,
    VARIABLES,
    begin,
    fetched,
    recording,
)

NAMES = ("one two&%.wav", "gone.wav", "moved.wav", "broken.wav", "hangs.wav", "cut.wav")


class Store:
    """The site's web server: what it was asked, and one way to fail for each name."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.file = folder / "sound.bin"
        self.file.write_bytes(SOUND)
        self.over = asyncio.Event()
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.raw_path, dict(request.headers)))
        match request.match_info["name"]:
            case "gone.wav":
                raise web.HTTPNotFound
            case "moved.wav":
                raise web.HTTPFound("/rec/2026/one%20two&%25.wav")
            case "broken.wav":
                raise web.HTTPInternalServerError
            case "hangs.wav":
                await self.over.wait()
            case "cut.wav":
                answer = web.StreamResponse(headers={"Content-Length": "1000"})
                await answer.prepare(request)
                await answer.write(SOUND[:10])
                assert request.transport is not None
                request.transport.close()
                return answer
        return web.FileResponse(self.file, headers={"Content-Type": "text/html", "X-Own": "1"})


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Store]:
    store = Store(folder)
    app = web.Application()
    app.router.add_get("/rec/{day}/{name}", store.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    store.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield store
    finally:
        store.over.set()
        await runner.cleanup()


def settings(folder: Path, url: str, *, variables: str = VARIABLES, more: str = "") -> Site:
    extra = f'[recordings]\nurl = "{url}"\n{more}'
    return Site(
        ami_port=1,
        secret="s",
        store=SqliteStore.in_folder(folder / "data"),
        people=PEOPLE,
        extra=extra,
        variables=variables,
    )


async def test_fetched_in_pieces_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "READ_S", 0.3)
    async with serving(tmp_path) as store:
        site = settings(tmp_path, f"{store.url}/rec/{{date}}/{{file}}")
        async with daemon(site, tmp_path) as started, Client(started.url) as ina:
            rows = [recording(n, f"{SPOOL}/x/{name}") for n, name in enumerate(NAMES)]
            started.recorder.take([CALL, *rows, recording(9, "/etc/passwd.wav")])
            await started.recorder.settled()
            assert await ina.sign_in("ina") == 200
            found = (await ina.get(f"/api/v1/calls/{CALL.id}"))["recordings"]
            assert [one["hindrance"] for one in found] == [None] * len(NAMES) + ["elsewhere"]
            assert store.asked == [], "nobody has played anything"
            status, play = await begin(ina, 1)
            assert status == 200
            answer, body = await fetched(ina, play["address"], Range="bytes=10-19")
            assert (answer.status, body) == (206, SOUND[10:20])
            assert answer.headers["Content-Range"] == f"bytes 10-19/{len(SOUND)}"
            assert answer.headers["Content-Type"] == "audio/wav", "as the file's name says"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "no-store" in answer.headers["Cache-Control"] and "X-Own" not in answer.headers
            path, headers = store.asked[-1]
            assert path == "/rec/1970-01-01/one%20two%26%25.wav"
            assert "Cookie" not in headers and headers["Range"] == "bytes=10-19"
            answer, body = await fetched(ina, play["address"])
            assert (answer.status, body) == (200, SOUND)
            answer, body = await fetched(ina, play["address"], Range="bytes=0-1,5-6")
            assert (answer.status, body) == (200, SOUND), "several ranges are not asked for"
            answer, _ = await fetched(ina, play["address"], Range="bytes=99999-")
            assert answer.status == 416
            expected = {2: 404, 3: 503, 4: 503, 5: 503}
            for n, status in expected.items():
                before = len(store.asked)
                play = (await begin(ina, n))[1]
                answer, _ = await fetched(ina, play["address"])
                assert answer.status == status, NAMES[n - 1]
                assert len(store.asked) == before + 1, "no redirect is followed"
            play = (await begin(ina, 6))[1]
            with pytest.raises(ClientError):  # a part is not taken for the whole
                await fetched(ina, play["address"])


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://rec.example/{file}", "http"),
        ("/rec/{file}", "http"),
        ("https://{call}.example/{file}", "host"),
        ("https://jo:pw@rec.example/{file}", "password"),
        ("https://rec.example/{file}#t", "#"),
        ("https://rec.example/{who}", "not known"),
        ("https://rec.example/{file", "brace"),
        ("https://rec.example/one.wav", "same for each"),
        ("https://rec.example:x/{file}", "address"),
    ],
)
def test_what_is_no_template(url: str, rule: str) -> None:
    assert rule in fault_of(url)


def test_bad_settings_name_the_field(tmp_path: Path) -> None:
    good = "https://rec.example/{file}"
    assert fault_of(good) == ""
    for site, rule in (
        (settings(tmp_path, "ftp://x/{file}"), "http"),
        (settings(tmp_path, good, more='folder = "sound"'), "either"),
        (settings(tmp_path, good, variables='CAMPAIGN = "campaign"'), "MIXMONITOR_FILENAME"),
    ):
        with pytest.raises(ConfigError, match=f"recordings.url.*{rule}"):
            site.load(tmp_path)


def test_what_a_value_holds_stays_a_value() -> None:
    template = Template("https://rec.example/{path}?id={linkedid}&c={call}")
    values = {"path": "a b/c?d.wav", "linkedid": "1.2&x=../", "call": "c/d"}
    assert template.of_file
    assert template.fill(values) == (
        "https://rec.example/a%20b/c%3Fd.wav?id=1.2%26x%3D..%2F&c=c%2Fd"
    )
    assert not Template("https://rec.example/{uniqueid}.wav").of_file
