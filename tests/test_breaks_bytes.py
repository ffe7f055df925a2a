"""The connection is cut in the middle: after every byte of a recorded stream, in every step of the
login, and before the PBX has started.

The stream's every byte is tried on the protocol itself, and each of the states that can follow
from it on the reducer; both together are every cut. Through sockets, with the dialogue before the
stream, every so-many-eth byte is tried, since a connection costs some ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitord.ami import trace
from monitord.ami.attachment import Attachment
from monitord.ami.link import LinkSettings, Timing
from monitord.ami.protocol import Counters, Protocol, Received
from monitord.domain.ledger import CallRecord, GapRecord, Record, SupervisionRecord, key_of
from monitord.domain.words import LinkState
from monitord.live.hub import Hub
from monitord.store.recorder import Recorder
from tests.kit.ami_text import block, event, lines
from tests.kit.breaks import Pbx, live_from, timed
from tests.kit.client import DEADLINE, Client, Stream
from tests.kit.daemon import Site, daemon
from tests.kit.fake_ami import BOOTED, Connection, FakeAmi, Fields
from tests.kit.ledger import read_ledger
from tests.kit.traces import FOLDER
from tests.test_breaks_gap import KEPT, Rows, check_end, lost, of, run, time_of

END = b"\r\n\r\n"

STREAMS = [
    "hard_cases/take-over-by-double-redirect-22",
    "hard_cases/next-call-under-the-same-spy-16",
    "hard_cases/star-moves-to-another-agent-22",
    "supervision/labels-change-while-live-16",
]


class Wire:
    """A transport that nobody reads."""

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


each_stream = pytest.mark.parametrize("name", STREAMS)


def stream_of(name: str) -> tuple[trace.Header, list[Any], list[Received]]:
    """A trace, and of it what the PBX sent by itself once the link was live."""
    header, items = trace.read(FOLDER / f"{name}.jsonl")
    live = items[live_from(items) :]
    return header, items, [i for i in live if isinstance(i, Received) and not i.reply]


@pytest.mark.fault("AMI TCP drop in mid-event")
@each_stream
async def test_after_every_byte_only_whole_messages_were_taken(name: str) -> None:
    _, _, sent = stream_of(name)
    offsets, wire = 0, Wire()
    for message in sent:
        data = message.text.encode() + END
        for offset in range(1, len(data) + 1):
            taken: list[Received] = []
            protocol = Protocol(taken.append, None, Counters())
            protocol.connection_made(wire)
            protocol._banner_seen = True
            protocol.data_received(data[:offset])
            protocol.connection_lost(None)
            protocol.data_received(data[offset:])
            assert [m.text for m in taken] == ([message.text] if offset == len(data) else [])
            offsets += 1
    assert offsets > 10_000


@pytest.mark.fault("AMI TCP drop in mid-event")
@each_stream
def test_after_every_message_and_then_nothing_is_left(name: str) -> None:
    """Cut there for good: when the PBX can be asked again, all is over. Nothing stays open, no row
    is invented, and each end is exact or in its window."""
    header, items, _ = stream_of(name)
    events = timed(items)
    whole = run(header, events)
    pbx = Pbx(items)
    for item in items:
        pbx.take(item)
    assert pbx.channels == {}
    after = pbx.resync(time_of(items[-1]))
    for place in range(live_from(items), len(items)):
        broken = run(header, [*events[: place + 1], lost(time_of(items[place])), *after])
        for row in of(broken, *KEPT, GapRecord).values():
            assert row.ended is not None, f"cut behind {place}, left open: {row}"
        for kind in (SupervisionRecord, CallRecord):
            real, got = of(whole, kind), of(broken, kind)
            assert got.keys() <= real.keys(), f"cut behind {place}, invented"
            for row_id, row in got.items():
                check_end(real[row_id], row)


# --- through sockets ---------------------------------------------------------------------


class Sender(FakeAmi):
    """After the first resync it sends a whole stream."""

    def __init__(self, stream: bytes) -> None:
        super().__init__()
        self.stream = stream

    def answer(self, connection: Connection, fields: Fields) -> None:
        super().answer(connection, fields)
        if fields["Action"] == "DeviceStateList" and connection is self.connections[0]:
            connection.send(self.stream)


async def served(header: trace.Header, stream: bytes, cut: int | None) -> tuple[Rows, int]:
    """The rows that are left by a connection that is cut after so many bytes of all that the PBX
    sends, and another one that finds nothing left; and how much the first one sent."""
    rows: Rows = {}

    def record(records: list[Record]) -> None:
        rows.update({key_of(r): r for r in records})

    hub = Hub([("lab", "Lab")], header.site, record)
    async with Sender(stream) as ami:
        ami.close_after = cut
        attachment = Attachment(
            LinkSettings("lab", "127.0.0.1", ami.port, "monitord", ami.secret),
            hub.apply,
            hub.flush,
            is_spyer=partial(hub.is_spyer, "lab"),
            timing=Timing(retry_first=0, retry_most=0),
        )
        task = asyncio.create_task(attachment.run())
        try:
            async with asyncio.timeout(DEADLINE):
                while not ami.connections:
                    await asyncio.sleep(0)
                ami.close_after = None
                if cut is None:
                    while (
                        ami.connections[0].sent < len(stream) or not attachment.link.live.is_set()
                    ):
                        await asyncio.sleep(0)
                    await attachment.link.ask("Ping", {}, deadline=DEADLINE)
                    ami.cut()
                while len(ami.connections) < 2:
                    await asyncio.sleep(0)
                while hub.shards["lab"].link is not LinkState.LIVE or attachment._items:
                    await asyncio.sleep(0)
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert attachment.failed == 0 and attachment.malformed == 0
        return rows, ami.connections[0].sent


@pytest.mark.fault("AMI TCP drop in mid-event")
@each_stream
async def test_through_sockets(name: str) -> None:
    header, _, sent = stream_of(name)
    stream = b"".join(m.text.encode() + END for m in sent)
    whole, total = await served(header, stream, None)
    ids = set(of(whole, *KEPT))
    assert len(of(whole, SupervisionRecord)) >= 1 and total > 20_000
    for cut in [*range(1, 2400, 61), *range(2400, total, 499)]:
        await honest(header, stream, cut, ids)


async def honest(header: trace.Header, stream: bytes, cut: int, ids: set[str]) -> None:
    """A connection that is cut there invents nothing and leaves nothing open."""
    rows, _ = await served(header, stream, cut)
    kept = of(rows, *KEPT)
    assert kept.keys() <= ids, f"cut after {cut}: invented"
    for row in [*kept.values(), *of(rows, GapRecord).values()]:
        assert row.ended is not None, f"cut after {cut}: left open: {row}"
        if isinstance(row, SupervisionRecord | CallRecord) and not row.ended_exact:
            assert row.started <= (row.ended_after or 0) <= row.ended


PARTS = 40
"""Of a stream, so that workers share it."""


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
@each_stream
async def test_through_sockets_at_every_byte(name: str, part: int) -> None:
    header, _, sent = stream_of(name)
    stream = b"".join(m.text.encode() + END for m in sent)
    whole, total = await served(header, stream, None)
    ids = set(of(whole, *KEPT))
    for cut in range(1 + part, total, PARTS):
        await honest(header, stream, cut, ids)


# --- before it has started ---------------------------------------------------------------


def told(name: str, uniqueid: str, application: str, data: str, bridge: str) -> bytes:
    more = lines(Application=application, Data=data, BridgeID=bridge, Seconds="5", ActionID="%ID%")
    return event("Status", block("", name, uniqueid), more).encode() + END


LISTED = [
    told("PJSIP/trunk-00000000", "1.1", "Dial", "PJSIP/1001", "b"),
    told("PJSIP/1001-00000001", "1.2", "AppDial", "(Outgoing Line)", "b"),
    told("PJSIP/2001-00000002", "1.3", "ChanSpy", "1.2,uqE", ""),
]
EARLY = (
    event("Newchannel", block("", "PJSIP/trunk-00000000", "2.1")).encode()
    + END
    + event("Hangup", block("", "PJSIP/2001-00000002", "1.3")).encode()
    + END
)
"""Of channels that begin while the PBX starts; the second has an old one's uniqueid."""


@asynccontextmanager
async def attached(ami: FakeAmi, folder: Path) -> AsyncIterator[tuple[Stream, Recorder]]:
    site = Site(ami_port=ami.port, secret=ami.secret)
    timing = Timing(retry_first=0.01, retry_most=0.01, ping_every=0.02)
    async with daemon(site, folder, timing=timing) as started, Client(started.url) as ina:
        assert await ina.sign_in("ina") == 200
        async with ina.stream() as stream:
            yield stream, started.recorder
        await started.recorder.settled()


async def until_link(stream: Stream, state: str) -> None:
    await stream.until(lambda s: any(p["link"] == state for p in s.of("pbx")), state)


@pytest.mark.fault("login before FullyBooted")
@pytest.mark.parametrize("again", [True, False], ids=["same boot", "other boot"])
@pytest.mark.parametrize("restarted", [False, True], ids=["daemon stays", "daemon restarted"])
async def test_login_before_fully_booted(tmp_path: Path, again: bool, restarted: bool) -> None:
    """Nothing is shown as over, and no row closed, before the PBX can say what it has."""
    async with FakeAmi() as ami:
        ami.lists["Status"] = LISTED
        async with attached(ami, tmp_path) as (stream, recorder):
            await until_link(stream, "live")
            (shown,) = stream.of("supervision")
            assert len(stream.of("call")) == 1 and shown["type"] == "Monitor"
            ami.booted = False
            if not restarted:
                ami.cut()
                await until_link(stream, "starting up")
                await check_booting(ami, recorder, tmp_path)
                assert [s["id"] for s in stream.of("supervision")] == [shown["id"]]
                assert len(stream.of("call")) == 1
                await boot(ami, stream, again)
                assert stream.of("supervision") == ([shown] if again else [])
        if restarted:
            async with attached(ami, tmp_path) as (stream, recorder):
                await until_link(stream, "starting up")
                await check_booting(ami, recorder, tmp_path)
                await boot(ami, stream, again)
                assert [s["id"] for s in stream.of("supervision")] == [shown["id"]] * again
        rows = read_ledger(tmp_path / "data" / "monitord.sqlite3")
        (row,) = rows["supervisions"]
        assert row["end_reason"] == (None if again else "PBX restarted")
        assert [c["end_reason"] for c in rows["calls"]] == [row["end_reason"]]


async def check_booting(ami: FakeAmi, recorder: Recorder, folder: Path) -> None:
    ami.send(EARLY)
    pings = len(ami.asked("Ping"))
    # The second one is sent when the first was answered, which comes behind what was sent.
    await ami.actions.until(lambda: len(ami.asked("Ping")) >= pings + 2)
    await recorder.settled()
    rows = read_ledger(folder / "data" / "monitord.sqlite3")
    for name in ("supervisions", "calls"):
        assert [r["ended"] for r in rows[name]] == [None], name


async def boot(ami: FakeAmi, stream: Stream, again: bool) -> None:
    if not again:
        ami.boot, ami.lists["Status"] = "05:00:00", []
    ami.send(BOOTED)
    await until_link(stream, "live")
