"""Whatever comes from the PBX's side: any bytes, in any pieces, through to the state.

An input is what the PBX sends, behind one byte that says how it is cut.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator
from unittest.mock import patch

from monitord.ami import protocol as protocols
from monitord.ami import trace
from monitord.ami.attachment import translate_item
from monitord.ami.headers import MalformedError
from monitord.ami.link import Step
from monitord.ami.protocol import Counters, Protocol, Received
from monitord.ami.translate import EVENTS, LIST_ITEMS, WANTED
from monitord.domain.events import At
from monitord.domain.reducer import reduce
from monitord.domain.site import Site
from monitord.domain.state import new_shard
from tests.faults.loop import VirtualLoop, run
from tests.kit.invariants import check_shard
from tests.kit.traces import FOLDER

MAX_LENGTH = 4096
MOST = 1500
"""Bytes of a message at most, so that the search comes to longer ones."""

ASKED = ("Challenge", "CoreStatus", "Status", "QueueStatus", "DeviceStateList")
"""Actions that wait for an answer meanwhile; the first one's ActionID is m1."""

WORDS = (
    *(f"Event: {name}\\x0d\\x0a" for name in (*EVENTS, *LIST_ITEMS)),
    *(
        "Response: Success\\x0d\\x0a",
        "ActionID: m3\\x0d\\x0a",
        "\\x0d\\x0a\\x0d\\x0a",
        "Uniqueid: 1.1\\x0d\\x0a",
    ),
    *(
        "ChanVariable: CAMPAIGN=",
        "Variable: __PAYS\\x0d\\x0a",
        "Application: ChanSpy\\x0d\\x0a",
        "(null)",
    ),
    *("Spyer", "Spyee", "Dest", "Linkedid: 1.2", "Channel: Local/1@a-1;1", "<unknown>"),
)
"""Put in by the search, besides what it makes up."""

RULES = ("a message of over", "a banner without")
"""Why the daemon gives a connection up by itself, as its reasons begin."""

_BANNER = b"Asterisk Call Manager/11.0.0\r\n"


class _Transport:
    def __init__(self) -> None:
        self.aborted = False

    def write(self, data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def target(data: bytes) -> None:
    """Raises where the daemon does not keep its word."""
    loop = VirtualLoop(lambda near, far: None)
    run(loop, _both(data[:1], data[1:]))
    assert not loop.failures, loop.failures


async def _both(how: bytes, sent: bytes) -> None:
    pieces = list(_cut(sent, how[0] if how else 0))
    with patch.object(protocols, "MAX_MESSAGE", MOST):
        taken, counters = await _read(pieces)
        whole, _ = await _read([sent])
    same = [(m.name, m.text, m.reply) for m in taken] == [(m.name, m.text, m.reply) for m in whole]
    assert same, "other messages in other pieces"
    shard = new_shard("lab", "lab", Site(variables={"CAMPAIGN": "campaign", "PAYS": "payment"}))
    for number, item in enumerate(taken):
        try:
            event = translate_item(item)
        except MalformedError:
            continue  # it is counted, and dropped
        if event is not None:
            reduce(shard, event, At(number, 1_795_320_000_000 + number))
            check_shard(shard)
    assert counters.messages >= len(taken)


def _cut(data: bytes, how: int) -> Iterator[bytes]:
    if how < 2:
        yield data
        return
    chance, start = random.Random(how), 0
    while start < len(data):
        end = start + chance.randint(1, how)
        yield data[start:end]
        start = end


async def _read(pieces: Iterable[bytes]) -> tuple[list[Received], Counters]:
    taken: list[Received] = []
    counters, transport = Counters(), _Transport()
    protocol = Protocol(taken.append, WANTED, counters)
    protocol.connection_made(transport)
    asked = [
        asyncio.create_task(
            protocol.ask(name, {"AuthType": "MD5"} if name == "Challenge" else {}, **_HOW)
        )
        for name in ASKED
    ]
    await asyncio.sleep(0)
    for piece in pieces:
        protocol.data_received(piece)
        assert len(protocol._buffer) <= MOST
        assert protocol.closed is transport.aborted is protocol.lost.done()
    if protocol.lost.done():
        assert protocol.lost.result().startswith(RULES)
        assert not protocol._buffer and not protocol._pending
    protocol.close()
    await asyncio.gather(*asked, return_exceptions=True)
    return taken, counters


_HOW = {"deadline": 1.0, "streamed": True}


def seeds() -> Iterator[bytes]:
    """From recorded traces: some messages, with the answers to what is asked here."""
    for number, path in enumerate(sorted(FOLDER.rglob("*.jsonl"))):
        _, items = trace.read(path)
        texts = [
            i.text + ("\r\nActionID: m3" if i.reply and "ActionID" not in i.text else "")
            for i in items
            if not isinstance(i, Step)
        ]
        start = (number * 37) % max(len(texts) - 12, 1)
        some = "\r\n\r\n".join(texts[start : start + 12]) + "\r\n\r\n"
        yield bytes([number % 256]) + (_BANNER + some.encode())[: MAX_LENGTH - 1]
    for number, text in enumerate(_ANSWERS):
        yield bytes([number * 40]) + _BANNER + text.replace("|", "\r\n").encode()


_ANSWERS = (
    "Response: Success|ActionID: m1|Challenge: 1||",
    "Response: Success|ActionID: m2|CoreStartupDate: 2026-11-22|CoreStartupTime: 05:00:00||",
    "Response: Success|ActionID: m3|EventList: start||Event: Status|ActionID: m3|Channel: PJSIP/1-1"
    "|Uniqueid: 1.1|Linkedid: 1.1|Application: ChanSpy|Data: PJSIP/2,qw||"
    "Event: StatusComplete|ActionID: m3|EventList: Complete||",
    "Response: Error|ActionID: m4|Message: Permission denied||",
    "Event: DeviceStateChange|ActionID: m5|Device: PJSIP/1|State: INUSE||",
)
