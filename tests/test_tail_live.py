"""`monitord tail` at a real daemon: it comes back without a hole, and ends in order."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitord.api import stream as streams
from monitord.api.keys import SESSIONS, STREAMS
from monitord.tail import connection
from monitord.tail.connection import RefusedError
from monitord.tail.run import tail
from tests.kit.centre import Centre, centre, until
from tests.kit.client import DEADLINE
from tests.kit.daemon import PASSWORD, Site, daemon
from tests.test_replay import in_the_middle, page, started

__all__ = ["page"]


PROGRAM_S = 60.0
"""A program of its own takes seconds to start where the machine is busy."""


class Reader(io.StringIO):
    """What `monitord tail --json` writes, as objects."""

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def of(self, happening: str) -> list[Any]:
        return [line for line in self.lines if line["happening"] == happening]

    def two(self, happening: str) -> list[Any]:
        """The first two, once there are two."""
        return self.of(happening)[:2] if len(self.of(happening)) > 1 else []

    def known(self) -> dict[str, Any]:
        """What somebody knows who has nothing but the lines."""
        known: dict[str, Any] = {}
        for line in self.lines:
            if line["happening"] == "start_over":
                known.clear()
            elif line["happening"] == "ended":
                del known[line["id"]]
            elif "supervisor" in line:
                assert (line["happening"] in ("started", "running")) == (line["id"] not in known)
                known[line["id"]] = line
        return known


@asynccontextmanager
async def following(url: str, password: str = PASSWORD) -> AsyncIterator[Reader]:
    reader = Reader()
    task = asyncio.create_task(tail(url, "ina", password, as_json=True, file=reader))
    try:
        await until(lambda: task.done() or reader.of("connection"))
        if task.done():
            task.result()
        yield reader
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path) as made:
        yield made


def seen(reader: Reader, here: Centre) -> Callable[[], bool]:
    """Whether the lines tell what the daemon shows now."""

    def same() -> bool:
        shown = {
            e["id"]: e
            for e in map(msgspec.to_builtins, here.daemon.hub.picture())
            if e["kind"] == "supervision"
        }
        known = reader.known()
        return known.keys() == shown.keys() and all(
            known[i][k] == s[k] for i, s in shown.items() for k in ("type", "state", "since")
        )

    return same


def cut(here: Centre) -> None:
    """As a network does it: without a word."""
    for client in list(here.daemon.web[STREAMS]._clients):
        client.abort()


# --- the stream --------------------------------------------------------------------------


async def test_nothing_is_missed_or_doubled_over_a_break(here: Centre) -> None:
    async with following(here.daemon.url) as reader:
        for round_ in range(3):
            await here.advance(60)
            await until(seen(reader, here), "what is shown")
            cut(here)
            lost = round_ + 1
            await until(lambda n=lost: len(reader.of("connection")) == 2 * n, "told as lost")
            await here.advance(60)
            await until(lambda n=lost: len(reader.of("connection")) == 2 * n + 1, "is back")
            await until(seen(reader, here), "what was missed")
        assert len(reader.of("start_over")) == 1
        places = [line["seq"] for line in reader.lines if "seq" in line]
        assert places == sorted(places)
        assert len(reader.of("started")) > 3 and len(reader.of("ended")) > 3
        whole = [json.dumps(line) for line in reader.lines if "supervisor" in line]
        assert len(whole) == len(set(whole))


async def test_told_to_start_over(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following(here.daemon.url) as reader:
        await here.advance(60)
        await until(seen(reader, here))
        monkeypatch.setattr(streams, "MISSED_MOST", 0)
        cut(here)
        await until(lambda: len(reader.of("connection")) == 2)
        await here.advance(60)
        await until(lambda: len(reader.of("start_over")) == 2, "start over")
        await until(seen(reader, here))
        assert reader.of("running")


@dataclass
class OnPort(Site):
    port: int = 0

    def write(self, folder: Path) -> Path:
        path = super().write(folder)
        path.write_text(path.read_text().replace("port = 0", f"port = {self.port}", 1))
        return path


async def test_a_daemon_that_is_started_anew(tmp_path: Path) -> None:
    """Its sessions are gone, so it signs in again by itself."""
    async with AsyncExitStack() as kept:
        async with daemon(Site(ami_port=9, secret="none"), tmp_path) as first:
            reader = await kept.enter_async_context(following(first.url))
            port = int(first.url.rpartition(":")[2])
        live, lost = await until(lambda: reader.two("connection"))
        assert (live["state"], lost["state"]) == ("live", "lost")
        assert lost["why"] == "monitord is stopping"
        again = OnPort(ami_port=9, secret="none", port=port)
        async with daemon(again, tmp_path):
            await until(lambda: len(reader.of("connection")) == 3, "is back")
            assert len(reader.of("start_over")) == 2


async def test_silence_is_a_lost_connection(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following(here.daemon.url) as reader:
        assert reader.of("connection")
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.5)
    monkeypatch.setattr(streams.Client, "write", quiet_after_hello(streams.Client.write))
    monkeypatch.setattr(connection, "PING_S", 3600)
    reader = Reader()
    with pytest.raises(RefusedError, match="nothing was heard for 1 s"):
        await asyncio.wait_for(
            tail(here.daemon.url, "ina", PASSWORD, as_json=True, file=reader), DEADLINE
        )


def quiet_after_hello(write: Callable[..., None]) -> Callable[..., None]:
    def only_hello(self: Any, data: bytes) -> None:
        if b'"hello"' in data:
            write(self, data)

    return only_hello


async def test_a_newer_protocol_is_refused(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    real = streams.wire.encode

    def newer(body: Any) -> bytes:
        if isinstance(body, streams.wire.Hello):
            body = msgspec.structs.replace(body, protocol=2, version="9.9")
        return real(body)

    monkeypatch.setattr(streams.wire, "encode", newer)
    with pytest.raises(RefusedError, match=r"the daemon is newer \(9.9\)"):
        await asyncio.wait_for(
            tail(here.daemon.url, "ina", PASSWORD, as_json=True, file=Reader()), DEADLINE
        )


async def test_it_leaves_no_session_behind(here: Centre) -> None:
    sessions = here.daemon.web[SESSIONS]
    before = len(sessions.of())
    async with following(here.daemon.url):
        assert len(sessions.of()) == before + 1
    assert len(sessions.of()) == before


# --- the program -------------------------------------------------------------------------


async def program(*arguments: str, out: int = asyncio.subprocess.PIPE, **env: str) -> Any:
    # readline, where something imports it, sets these two, and they go before the terminal's size.
    mine = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "tail", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=out,
        stderr=asyncio.subprocess.PIPE,
        env={**mine, **env},
    )


async def ended(process: Any) -> tuple[int, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), PROGRAM_S)
    return process.returncode, (out or b"").decode(), err.decode()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
async def test_json_lines_come_at_once_and_ctrl_c_is_no_failure(
    name: str, here: Centre, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    process = await program(
        *("--url", here.daemon.url, "--login", "ina", "--json"),
        *("--password-file", str(secret)),
    )
    async with asyncio.timeout(PROGRAM_S):
        line = json.loads(await process.stdout.readline())
        assert line["happening"] == "start_over"
        await here.advance(120)
        while line["happening"] != "started":
            line = json.loads(await process.stdout.readline())
    process.send_signal(signal.Signals[name])
    code, _, err = await ended(process)
    assert (code, err) == (0, "")


async def test_text_where_the_output_is_no_terminal(here: Centre) -> None:
    process = await program("--url", here.daemon.url, "--login", "ina", MONITORD_PASSWORD=PASSWORD)
    async with asyncio.timeout(PROGRAM_S):
        line = (await process.stdout.readline()).decode()
        assert re.fullmatch(r"\d\d:\d\d:\d\d  start over +what is shown .*\n", line)
        await here.advance(120)
        while "  started  " not in line:
            line = (await process.stdout.readline()).decode()
    assert " -> " in line
    process.send_signal(signal.SIGINT)
    assert (await ended(process))[0] == 0


async def test_a_reader_that_goes_away_ends_it_quietly(here: Centre) -> None:
    read, write = os.pipe()
    process = await program(
        *("--url", here.daemon.url, "--login", "ina", "--json"),
        out=write,
        MONITORD_PASSWORD=PASSWORD,
    )
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as file:
        first = await asyncio.wait_for(asyncio.to_thread(file.read, 10), PROGRAM_S)
        assert first
    async with asyncio.timeout(PROGRAM_S):
        while process.returncode is None:
            await here.advance(30)
    code, _, err = await ended(process)
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "env", "words"),
    [
        pytest.param((), {"MONITORD_PASSWORD": "wrong"}, "login or password is wrong", id="wrong"),
        pytest.param((), {}, "no password: give --password-file or", id="none"),
        pytest.param((), {"MONITORD_PASSWORD": ""}, "1 to 1024 characters", id="empty"),
        pytest.param(
            ("--password-file", "/nowhere"), {}, "/nowhere cannot be read", id="no-such-file"
        ),
        pytest.param(
            ("--url", "http://127.0.0.1:9"),
            {"MONITORD_PASSWORD": "x"},
            "http://127.0.0.1:9 cannot be reached: ",
            id="unreachable",
        ),
        pytest.param(("--url", "nowhere"), {}, "--url: must begin with", id="no-address"),
    ],
)
async def test_it_says_why_not(
    arguments: tuple[str, ...], env: dict[str, str], words: str, here: Centre
) -> None:
    given = ("--url", here.daemon.url, "--login", "ina", *arguments)
    code, out, err = await ended(await program(*given, **env))
    assert code == 1 and words in err and out == "", err
    assert "Traceback" not in err


async def test_something_else_at_that_address(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 \x1b[2J\r\nContent-Length: 2\r\n\r\n\x1bx")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        process = await program("--url", url, "--login", "a", MONITORD_PASSWORD="x")
        code, _, err = await ended(process)
    assert code == 1 and "\x1b" not in err, err
    assert "does not answer as monitord does" in err or "cannot be reached" in err


# --- the terminal ------------------------------------------------------------------------

HOSTILE = "\x1b[31mevil\x9b\u202e[red]"


async def test_the_table_on_a_terminal(page: Path, tmp_path: Path) -> None:
    """A real pseudo-terminal, and a campaign's name that would clear its screen."""
    path = in_the_middle(tmp_path)
    text = path.read_text()
    campaign = re.search(r"CAMPAIGN=(\w+)", text)
    assert campaign is not None
    path.write_text(
        text.replace(f"CAMPAIGN={campaign[1]}", "CAMPAIGN=" + json.dumps(HOSTILE)[1:-1])
    )
    controller, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 320, 0, 0))
    async with started(path, page, speed=1) as made:
        process = await program(
            *("--url", made.daemon.url, "--login", "viewer"),
            out=terminal,
            MONITORD_PASSWORD=made.passwords["viewer"],
            TERM="xterm-256color",
        )
        os.close(terminal)
        loop = asyncio.get_running_loop()
        said = bytearray()
        more = asyncio.Event()

        def read() -> None:
            try:
                said.extend(os.read(controller, 65536))
            except OSError:  # the other side is closed
                loop.remove_reader(controller)
            more.set()

        loop.add_reader(controller, read)
        words = ("Sue Supervisor", "Ann Agent", "Coach", "lag ", "evil")
        try:
            async with asyncio.timeout(PROGRAM_S):
                while not (
                    all(w in said.decode(errors="replace") for w in words)
                    # it ticks
                    and len(set(re.findall(rb"(\d+:\d\d)  Ann Agent", said))) > 1
                ):
                    more.clear()
                    await more.wait()
        except TimeoutError:
            raise AssertionError(f"last seen: {bytes(said[-5000:])!r}") from None
        else:
            process.send_signal(signal.SIGINT)
            assert (await ended(process))[0] == 0
        finally:
            loop.remove_reader(controller)
            os.close(controller)
    shown = said.decode()
    assert "replay of lab" in shown and "This is a replay" in shown
    assert "\\x1b[31mevil\\x9b\\u202e[red]" in shown
    assert "\x1b[31mevil" not in shown and "\x9b" not in shown and "\u202e" not in shown
    assert "\x1b[?25h" in shown, "the cursor is given back"
