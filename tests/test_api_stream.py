"""The stream: what a client holds is the server's picture, whoever comes, goes or reads not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from monitord.api import sending
from monitord.api import stream as streams
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState
from monitord.people import sessions
from tests.kit.centre import Centre, centre, until
from tests.kit.client import DEADLINE, Client, Stream


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path) as made:
        yield made


def open_socket(client: Client, **options: Any) -> connect:
    address = client.url.replace("http", "ws", 1) + "/api/v1/stream"
    headers = {"Cookie": client.cookie}
    return connect(address, origin=client.url, additional_headers=headers, max_size=None, **options)


async def closed(socket: ClientConnection) -> tuple[list[Any], int | None]:
    """What still comes, and the close code."""
    frames = []
    async with asyncio.timeout(DEADLINE):
        try:
            while True:
                frames.append(json.loads(await socket.recv()))
        except ConnectionClosed:
            return frames, socket.close_code


def picture(here: Centre) -> dict[str, dict[str, Any]]:
    kinds = ("pbx", "agent", "call", "supervision", "alert", "notice", "flag")
    shown: dict[str, dict[str, Any]] = {k: {} for k in kinds}
    for entity in here.daemon.hub.picture():
        plain = msgspec.to_builtins(entity)
        shown[plain["kind"]][plain["id"]] = plain
    return shown


async def level(here: Centre, stream: Stream) -> None:
    """What the client holds at one place in the stream is what the server shows there."""
    while True:
        await stream.until(lambda s: s.seq >= here.daemon.hub.seq)
        shown = picture(here)
        if stream.seq == here.daemon.hub.seq:
            assert stream.entities == shown
            return


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_a_client_holds_is_the_servers_picture(seed: int, tmp_path: Path) -> None:
    """At every point of a seeded day, for one who was there from the start, one who came late,
    and one who comes back again and again."""
    async with centre(tmp_path, seed=seed) as here, here.ina.stream() as first:
        await first.until(lambda s: s.seq >= 0)
        kinds = [f["type"] for f in first.frames]
        assert kinds[:2] == ["hello", "delta"] and first.frames[1]["reset"]
        again: Stream | None = None
        for step in range(12):
            await here.advance(15)
            await level(here, first)
            place = {} if again is None else {"epoch": again.epoch, "seq": again.seq}
            async with here.ina.stream(**place) as late:
                if again is not None:
                    late.entities, late.epoch, late.seq = again.entities, again.epoch, again.seq
                await late.until(lambda s: s.frames and s.frames[-1]["type"] == "pong")
                resets = [f for f in late.frames if f.get("reset")]
                assert len(resets) == (1 if again is None else 0), step
                await level(here, late)
                again = late


@pytest.mark.parametrize(
    "place",
    [
        pytest.param({"epoch": "another run"}, id="other-epoch"),
        pytest.param({"seq": 10**6}, id="from-the-future"),
        pytest.param({"epoch": None}, id="no-epoch"),
    ],
)
async def test_told_to_start_over(place: dict[str, Any], here: Centre) -> None:
    given = {"epoch": here.daemon.hub.epoch, "seq": here.daemon.hub.seq, **place}
    async with here.ina.stream(**given) as found:
        await found.next()
        assert (await found.next())["reset"]


async def test_who_missed_too_much_gets_all_anew(
    here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MISSED_MOST", 3)
    hub = here.daemon.hub
    async with here.ina.stream() as before:
        await before.until(lambda s: s.epoch)
        epoch, seq = before.epoch, hub.seq
    while hub.seq < seq + 4:
        await here.advance(5)
    for _ in range(20):
        now = hub.seq
        async with open_socket(here.ina) as near:
            await near.send(json.dumps({"type": "subscribe", "epoch": epoch, "seq": now - 3}))
            got = [json.loads(await near.recv()) for _ in range(4)]
        if hub.seq == now:  # else something went out in between, of a timer's
            break
    assert [f.get("seq") for f in got] == [None, now - 2, now - 1, now]
    assert not any("reset" in f for f in got)
    async with here.ina.stream(epoch=epoch, seq=seq) as far:
        assert (await far.next(), await far.next())[1]["reset"]


@pytest.mark.fault("reconnect storm")
async def test_encoded_once_for_all(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = streams.wire.encode

    def encode(body: Any) -> bytes:
        made.append(type(body).__name__)
        return real(body)

    async with here.ina.stream() as one, here.sue.stream() as two, here.sue.stream() as three:
        for each in (one, two, three):
            await each.until(lambda s: s.frames and s.frames[-1]["type"] == "pong")
        before = here.daemon.hub.seq
        monkeypatch.setattr(streams.wire, "encode", encode)
        await here.advance(20)
        after = here.daemon.hub.seq
        for each in (one, two, three):
            await each.until(lambda s: s.seq >= after)
        assert made.count("_Delta") == after - before > 0


BAD: dict[str, tuple[list[Any], int]] = {
    "no-json": (["garbage"], 1008),
    "unknown-type": (['{"type":"steal"}'], 1008),
    "unknown-field": (['{"type":"subscribe","x":1}'], 1008),
    "ping-first": (['{"type":"ping","n":1}'], 1008),
    "binary": ([b'{"type":"subscribe"}'], 1008),
    "seq-negative": (['{"type":"subscribe","seq":-1}'], 1008),
    "epoch-long": (['{"type":"subscribe","epoch":"%s"}' % ("x" * 65)], 1008),
    "deep": (['{"x":' + "[" * 4000], 1008),
    "too-large": (['{"type":"subscribe","epoch":"%s"}' % ("x" * 9000)], 1009),
    "subscribe-twice": (['{"type":"subscribe"}'] * 2, 1008),
    "garbage-later": (['{"type":"subscribe"}', "x"], 1008),
    "binary-later": (['{"type":"subscribe"}', b"x"], 1008),
    "ping-too-high": (['{"type":"subscribe"}', '{"type":"ping","n":9007199254740993}'], 1008),
    "too-many": (['{"type":"subscribe"}'] + ['{"type":"ping","n":1}'] * 60, 1008),
}


async def test_bad_messages(here: Centre, capfd: pytest.CaptureFixture[str]) -> None:
    found, wanted = {}, {}
    async with here.ina.stream() as other:
        await other.until(lambda s: s.seq >= 0)
        for name, (messages, code) in BAD.items():
            async with open_socket(here.ina) as socket:
                for message in messages:
                    await socket.send(message)
                frames, closed_by = await closed(socket)
            bye = (frames[-1]["type"], frames[-1]["code"]) if code == 1008 else None
            await until(lambda: here.daemon.web[streams_key()].count == 1)
            traced = "Traceback" in "".join(capfd.readouterr())
            found[name] = (closed_by, bye, traced)
            wanted[name] = (code, ("bye", "bad_message") if code == 1008 else None, False)
        await other.level()
    assert found == wanted


def streams_key() -> Any:
    from monitord.api.keys import STREAMS

    return STREAMS


async def test_ping_is_answered(here: Centre) -> None:
    async with here.ina.stream() as found:
        await found.socket.send('{"type":"ping","n":42}')
        await found.until(lambda s: any(f.get("n") == 42 for f in s.frames))


async def test_no_subscribe(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "FIRST_MESSAGE_S", 0.05)
    async with open_socket(here.ina) as socket:
        frames, code = await closed(socket)
    assert code == 1008 and frames[-1]["code"] == "bad_message"


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
@pytest.mark.parametrize("subscribed", [True, False], ids=["subscribed", "not-yet"])
async def test_signed_out_at_once(subscribed: bool, here: Centre) -> None:
    async with open_socket(here.sue) as socket, here.ina.stream() as other:
        if subscribed:
            await socket.send('{"type":"subscribe"}')
        await until(lambda: here.daemon.web[streams_key()].count == 2)
        async with here.sue.http.delete("/api/v1/session") as response:
            assert response.status == 204
        frames, code = await closed(socket)
        assert (frames[-1]["code"], code) == ("signed_out", 1008)
        await other.socket.send('{"type":"ping","n":1}')
        await other.until(lambda s: any(f.get("n") == 1 for f in s.frames), "goes on")


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
async def test_a_session_that_runs_out(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(sessions, "SESSION_S", 0.3)
    assert await here.ina.sign_in("ina") == 200
    async with open_socket(here.ina) as socket:
        await socket.send('{"type":"subscribe"}')
        frames, code = await closed(socket)
    assert (frames[-1]["code"], code) == ("signed_out", 1008)
    assert any(f["type"] == "pong" for f in frames), "a heartbeat came before"


async def test_the_daemon_stops(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        socket = await open_socket(here.ina)
        await socket.send('{"type":"subscribe"}')
        await until(lambda: here.daemon.web[streams_key()].count == 1)
        waiting = asyncio.create_task(closed(socket))
    frames, code = await waiting
    assert (frames[-1]["code"], code) == ("shutdown", 1001)


@pytest.mark.fault("slow websocket client")
async def test_who_never_reads_is_cut_and_nobody_else(
    here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STALL_S", 0.2)
    monkeypatch.setattr(sending, "CLOSE_S", 0.2)
    counted = here.daemon.web[streams_key()]
    async with here.sue.stream() as reader:
        stuck = await open_socket(here.ina, max_queue=1, compression=None)
        stuck.transport.pause_reading()
        await stuck.send('{"type":"subscribe"}')
        await until(lambda: counted.count == 2)
        for n in range(100):  # more than the kernel's buffers take
            event = ev.LinkChanged(LinkState.LIVE, f"{n}" + "x" * 200_000)
            here.daemon.hub.apply("lab", event, At(1, 1))
            here.daemon.hub.flush()
            await level(here, reader)
            if counted.count == 1:
                break
        await until(lambda: counted.count == 1, "the one that never reads is gone")
        await level(here, reader)
        stuck.transport.abort()
