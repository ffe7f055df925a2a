"""Whatever a client of the live stream says.

An input is its messages, one a line; a line that begins with ``!`` is binary, ``~`` stands for a
pause in which the server's deadlines pass.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import WSMessage, WSMsgType

from monitord.api.stream import FIRST_MESSAGE_S, MESSAGES_MOST, Streams
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.site import Site
from monitord.domain.words import LinkState
from monitord.live.hub import Hub
from monitord.people.audience import Audience
from monitord.people.roster import EVERYBODY
from tests.faults.clients import Socket
from tests.faults.loop import VirtualLoop, run

MAX_LENGTH = 4096
WORDS = (
    *("{\\x22type\\x22:\\x22subscribe\\x22", "{\\x22type\\x22:\\x22ping\\x22", ",\\x22n\\x22:1}"),
    *(",\\x22epoch\\x22:", ",\\x22seq\\x22:", "null", "\\x0a", "\\x0a~\\x0a", "\\\\ud800"),
)
"""Put in by the search, besides what it makes up."""

PAUSE_S = 4.0
SEES_ALL = Audience(EVERYBODY, EVERYBODY, EVERYBODY, numbers=True)


def target(data: bytes) -> None:
    """Raises where the daemon does not keep its word."""
    loop = VirtualLoop(lambda near, far: None)
    run(loop, _talk(data))
    assert not loop.failures, loop.failures


async def _talk(data: bytes) -> None:
    hub = Hub([("lab", "Lab")], Site(), lambda records: None)
    hub.epoch = "e"
    for n in range(5):
        hub.apply("lab", ev.LinkChanged(LinkState.LOST, f"{n}"), At(n, n))
        hub.flush()
    streams = Streams(hub, list)
    got: list[dict[str, Any]] = []
    socket = Socket(lambda sent: got.append(msgspec.json.decode(sent)))
    served = asyncio.create_task(
        streams.serve(socket, socket.line, lambda: SEES_ALL, lambda listener: lambda: None)  # type: ignore[arg-type]
    )
    said: list[str | bytes] = []
    for line in data.split(b"\n"):
        if line == b"~":
            await asyncio.sleep(PAUSE_S)
            continue
        message = _message(line)
        said.append(line[1:] if message.type is WSMsgType.BINARY else message.data)
        socket._said.put_nowait(message)
        await asyncio.sleep(0)
    await asyncio.sleep(FIRST_MESSAGE_S + 1)
    _judge(said, got)
    socket.go()
    await asyncio.wait_for(served, 60)
    assert streams.count == 0, "a client is kept that is gone"
    assert got[-1]["type"] == "bye" or got[0]["type"] == "hello"


def _message(line: bytes) -> WSMessage:
    if line.startswith(b"!"):
        return WSMessage(WSMsgType.BINARY, line[1:], None)
    # What is no UTF-8 the websocket itself refuses; half a pair in an escape passes.
    return WSMessage(WSMsgType.TEXT, line.decode("utf-8", "replace"), "")


def _judge(said: list[str | bytes], got: list[dict[str, Any]]) -> None:
    """It is let in only by a proper “subscribe”, and let go at the first other thing."""
    kinds = [frame["type"] for frame in got]
    assert kinds.count("hello") <= 1 and kinds.count("bye") <= 1
    assert "bye" not in kinds[:-1], "something was sent behind the last word"
    first = _object(said[0]) if said else None
    if first is None or first.get("type") != "subscribe":
        assert kinds == ["bye"] and got[0]["code"] == "bad_message"
        return
    others = [_object(one) for one in said[1:]]
    bad = [one for one in others if one is None or one.get("type") != "ping"]
    if "hello" in kinds and (bad or len(others) > MESSAGES_MOST + len(others) // 2):
        assert kinds[-1] == "bye" and got[-1]["code"] == "bad_message"
    asked = [o["n"] for o in others if o is not None and isinstance(o.get("n"), int)]
    answered = [f["n"] for f in got if f["type"] == "pong" and f["n"] is not None]
    assert answered == asked[: len(answered)], "an answer to nothing"


def _object(said: str | bytes) -> dict[str, Any] | None:
    """By another parser than the daemon's; None where it is nothing that it may take."""
    if isinstance(said, bytes):
        return None
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def seeds() -> Iterator[bytes]:
    subscribe = b'{"type":"subscribe"}'
    again = b'{"type":"subscribe","epoch":"e-","seq":3}'
    ping = b'{"type":"ping","n":1}'
    yield subscribe
    yield b"\n".join([again, ping, b"~", ping])
    yield b"\n".join([subscribe, *[ping] * (MESSAGES_MOST + 2)])
    yield b"\n".join([b"~"] * 4)
    yield b"\n".join([subscribe, subscribe])
    yield b"\n".join([ping, subscribe])
    yield b"\n".join([subscribe, b"!" + ping])
    yield b"!" + subscribe
    yield subscribe + b"\n" + b'{"type":"ping","n":-1}'
    yield b'{"type":"subscribe","epoch":null,"seq":null,"more":[[[[1]]]]}'
    yield b'{"type":"subscribe","seq":1e3}\n{"n":9007199254740991,"type":"ping"}'
    yield b'{"type":"\\ud800"}'
