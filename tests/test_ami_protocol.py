"""The wire: framing, what is dropped, what may be sent, and how a connection ends."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitord.ami.actions import (
    ACTIONS,
    MAX_VALUE,
    DeadlineError,
    LinkLostError,
    NotSentError,
    check_action,
)
from monitord.ami.protocol import MAX_MESSAGE, Counters, Protocol, Received, Wanted
from monitord.ami.translate import WANTED
from tests.kit.ami_text import DEVICE, NAMES, STREAM

ALL = {"FullyBooted", "Newchannel", "NewCallerid", "DeviceStateChange", "Newexten", "ChanSpyStart"}


class Wire(asyncio.Transport):
    """The other end of a protocol, without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


class Line:
    """A protocol with what it gave to its sink."""

    def __init__(self, wanted: Wanted | None = WANTED, banner: bool = True) -> None:
        self.got: list[Received] = []
        self.wire = Wire()
        self.protocol = Protocol(self.got.append, wanted, Counters())
        self.protocol.connection_made(self.wire)
        if banner:
            self.feed(b"Asterisk Call Manager/11.0.0\r\n")

    def feed(self, data: bytes) -> None:
        if not self.protocol.closed:
            self.protocol.data_received(data)

    @property
    def counters(self) -> Counters:
        return self.protocol.counters

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [(r.name, r.text) for r in self.got]

    def asked(self) -> list[str]:
        """ActionIDs sent so far."""
        return re.findall(r"ActionID: (\S+)", self.wire.written.decode())


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    yield made
    made.protocol.close()


async def settled() -> None:
    """Let the tasks that can go on do so."""
    for _ in range(3):
        await asyncio.sleep(0)


# --- framing -----------------------------------------------------------------------------


async def whole() -> tuple[list[tuple[str, str]], Counters]:
    line = Line(banner=False)
    line.feed(STREAM)
    return line.texts, line.counters


async def test_a_recorded_stream() -> None:
    texts, counters = await whole()
    assert {name for name, _ in texts} == ALL and len(texts) == 7
    assert texts[2] == ("NewCallerid", NAMES)
    assert "Jos\ufffd M\ufffdller" in texts[-1][1]
    assert counters == Counters(messages=8, strays=1)


async def test_a_cut_at_any_offset_changes_nothing() -> None:
    expected = await whole()
    for cut in range(len(STREAM) + 1):
        line = Line(banner=False)
        line.feed(STREAM[:cut])
        line.feed(STREAM[cut:])
        assert (line.texts, line.counters) == expected, cut


@pytest.mark.parametrize("more", [b"\r\n", b"\r\n\r\n", b"\r\n" * 3, b"\n", b"\r"])
async def test_lines_too_many_between_messages(more: bytes) -> None:
    """Found by the fuzzer: where one of them was cut, it went to another message."""
    stream = STREAM.replace(b"\r\n\r\n", b"\r\n\r\n" + more)
    line = Line(banner=False)
    line.feed(stream)
    for cut in range(len(stream) + 1):
        other = Line(banner=False)
        other.feed(stream[:cut])
        other.feed(stream[cut:])
        assert other.texts == line.texts, cut


async def test_byte_by_byte() -> None:
    line = Line(banner=False)
    for byte in STREAM:
        line.feed(bytes([byte]))
    assert (line.texts, line.counters) == await whole()


@pytest.mark.fault("malformed AMI bytes")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_chunks_give_the_same(cuts: list[int]) -> None:
    async def run() -> None:
        line = Line(banner=False)
        edges = [0, *sorted(cuts), len(STREAM)]
        for start, end in itertools.pairwise(edges):
            line.feed(STREAM[start:end])
        assert (line.texts, line.counters) == await whole()

    asyncio.run(run())


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.parametrize("cut", range(0, len(STREAM), 61))
async def test_a_partial_message_before_the_end_is_discarded(cut: int) -> None:
    line = Line(banner=False)
    line.feed(STREAM[:cut])
    line.protocol.connection_lost(None)
    expected, _ = await whole()
    whole_messages = STREAM[:cut].count(b"\r\n\r\n")
    assert line.texts == expected[: max(0, whole_messages - 1)]
    assert line.protocol.lost.result() == "the other side closed the connection"


@pytest.mark.parametrize(
    ("banner", "alive"),
    [
        pytest.param(b"Asterisk Call Manager/5.0.4\r\n", True, id="16"),
        pytest.param(b"", True, id="none, as from a proxy"),
        pytest.param(b"\r\n", True, id="an empty line"),
        pytest.param(b"Asterisk Call Manager/" + b"9" * 300, False, id="without an end"),
        pytest.param(b"Asterisk Call Manager/" + b"9" * 300 + b"\r\n", False, id="over-long"),
    ],
)
async def test_banners(banner: bytes, alive: bool) -> None:
    line = Line(banner=False)
    line.feed(banner + DEVICE.encode() + b"\r\n\r\n")
    assert line.texts == ([("DeviceStateChange", DEVICE)] if alive else [])
    assert line.wire.aborted is not alive


# --- malformed ---------------------------------------------------------------------------

OK = DEVICE.encode() + b"\r\n\r\n"


@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.parametrize(
    ("raw", "counted"),
    [
        pytest.param(b"\x00\xff\x80 garbage\r\n\r\n", Counters(2, 0, 1), id="random bytes"),
        pytest.param(b"no colon at all\r\n\r\n", Counters(2, 0, 1), id="no colon"),
        pytest.param(b"event: Hangup\r\n\r\n", Counters(2, 0, 1), id="not as Asterisk spells it"),
        pytest.param(b"Event:Hangup\r\n\r\n", Counters(2, 0, 1), id="no blank"),
        pytest.param(b"Event: \r\n\r\n", Counters(2, 1), id="empty event"),
        pytest.param(b"Event: No\x00Such\r\n\r\n", Counters(2, 1), id="NUL in the name"),
        pytest.param(b"\r\n\r\n\r\n\r\n\r\n", Counters(1), id="empty lines"),
        pytest.param(b"\n\n\n\r\n\r\n", Counters(2, 0, 1), id="bare LFs"),
        pytest.param(b"Response: Success\r\n\r\n", Counters(2, strays=1), id="answer to nobody"),
        pytest.param(b"Response: \r\nActionID: m99\r\n\r\n", Counters(2, strays=1), id="late"),
        pytest.param(
            b"Response: Error\r\nActionID: m1\r\nActionID: m2\r\n\r\n",
            Counters(2, 0, 1),
            id="answer with two ids",
        ),
        pytest.param(
            b"Event: OriginateResponse\r\nChanVariable(PJSIP/1:0-1): A=\r\n\r\n",
            Counters(2, 1),
            id="odd keys",
        ),
    ],
)
async def test_malformed_is_counted_and_the_connection_lives(
    line: Line, raw: bytes, counted: Counters
) -> None:
    line.feed(raw + OK)
    assert line.texts[-1] == ("DeviceStateChange", DEVICE)
    assert line.counters == counted and not line.wire.aborted


async def test_a_nul_does_not_reach_the_state(line: Line) -> None:
    line.feed(b"Event: DeviceStateChange\r\nDevice: PJ\x00SIP\r\nState: \xfc\r\n\r\n")
    assert line.got[0].text.endswith("Device: PJ\ufffdSIP\r\nState: \ufffd")


@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.parametrize("chunk", [1000, 300_000, 3_000_000])
@pytest.mark.parametrize("ended", [True, False])
async def test_an_endless_message_costs_the_connection(chunk: int, ended: bool) -> None:
    line = Line()
    data = b"Event: DeviceStateChange\r\nDevice: " + b"x" * 2_000_000
    data += b"\r\n\r\n" if ended else b""
    for start in range(0, len(data), chunk):
        line.feed(data[start : start + chunk])
    assert line.wire.aborted and not line.got
    assert line.protocol.lost.result() == f"a message of over {MAX_MESSAGE} bytes"
    assert len(line.protocol._buffer) == 0


@pytest.mark.fault("malformed AMI bytes")
@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"\r\n\r\n",
                    b"\r\n",
                    b"Event: ",
                    b"Response: Success\r\nActionID: m1\r\nMessage: will follow\r\n\r\n",
                    b"\r\nActionID: m1\r\n",
                    b"Event: Status\r\nActionID: m1\r\n\r\n",
                    b"Event: StatusComplete\r\nActionID: m1\r\n\r\n",
                    b"Message: a\r\nMessage: b\r\n",
                ]
            ),
        ),
        max_size=40,
    )
)
def test_no_bytes_raise_in_the_read_callback(pieces: list[bytes]) -> None:
    async def run() -> None:
        line = Line(wanted=None)
        task = asyncio.create_task(line.protocol.ask("Status", deadline=60))
        await asyncio.sleep(0)
        for piece in pieces:
            line.feed(piece)
        line.feed(b"\r\n\r\n" + OK)
        assert line.texts[-1][0] == "DeviceStateChange"
        line.protocol.close()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


# --- answers -----------------------------------------------------------------------------


async def test_an_answer(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("CoreStatus", deadline=60))
    await settled()
    assert line.wire.written == b"Action: CoreStatus\r\nActionID: m1\r\n\r\n"
    line.feed(b"Response: Success\r\nActionID: m1\r\nCoreStartupTime: 04:08:34\r\n\r\n")
    answer = await task
    assert answer[0].success and answer[0].corestartuptime == "04:08:34"
    assert line.got == []


STATUS = "Event: Status\r\nPrivilege: Call\r\nUniqueid: {}\r\nActionID: m1\r\n\r\n"


async def test_a_streamed_list_keeps_its_place_among_the_events(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("Status", deadline=60, streamed=True))
    await settled()
    line.feed(OK)
    line.feed(b"Response: Success\r\nActionID: m1\r\nEventList: start\r\n\r\n")
    line.feed(STATUS.format("a.1").encode() + OK + STATUS.format("a.2").encode())
    line.feed(b"Event: StatusComplete\r\nActionID: m1\r\nEventList: Complete\r\n\r\n" + OK)
    answer = await task
    assert [m.response or m.event for m in answer] == ["Success", "StatusComplete"]
    assert [(r.name, r.reply) for r in line.got] == [
        ("DeviceStateChange", False),
        ("Status", True),
        ("DeviceStateChange", False),
        ("Status", True),
        ("DeviceStateChange", False),
    ]


async def test_a_device_state_is_a_list_item_or_an_event(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("DeviceStateList", deadline=60, streamed=True))
    await settled()
    item = b"Event: DeviceStateChange\r\nActionID: m1\r\nDevice: A\r\nState: BUSY\r\n\r\n"
    line.feed(b"Response: Success\r\nActionID: m1\r\n\r\n" + item + OK)
    line.feed(b"Event: DeviceStateListComplete\r\nActionID: m1\r\n\r\n")
    await task
    assert [r.reply for r in line.got] == [True, False]


@pytest.mark.parametrize(
    ("name", "arrives"),
    [("OriginateResponse", False), ("AgentComplete", True), ("DeviceStateChange", True)],
)
async def test_an_event_with_our_id_that_is_no_item_is_an_event(
    line: Line, name: str, arrives: bool
) -> None:
    task = asyncio.create_task(line.protocol.ask("Status", deadline=60))
    await settled()
    line.feed(b"Response: Success\r\nActionID: m1\r\nEventList: start\r\n\r\n")
    line.feed(f"Event: {name}\r\nActionID: m1\r\nResponse: Failure\r\n\r\n".encode())
    assert [r.name for r in line.got] == [name] * arrives and not task.done()
    line.feed(b"Event: StatusComplete\r\nActionID: m1\r\n\r\n")
    assert len(await task) == 2


async def test_an_event_with_two_ids_is_left_to_whoever_translates_it(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("Status", deadline=60))
    await settled()
    line.feed(b"Response: Success\r\nActionID: m1\r\nEventList: start\r\n\r\n")
    line.feed(b"Event: Hangup\r\nActionID: m1\r\nActionID: m2\r\n\r\n")
    line.feed(b"Event: StatusComplete\r\nActionID: m1\r\n\r\n")
    assert len(await task) == 2 and [r.name for r in line.got] == ["Hangup"]


async def test_a_list_item_before_its_answer_is_no_item(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("Status", deadline=60))
    await settled()
    line.feed(STATUS.format("a.1").encode())
    assert line.got == [] and line.counters.unwanted == 1
    line.feed(b"Response: Error\r\nActionID: m1\r\nMessage: No such channel\r\n\r\n")
    assert [m.message for m in await task] == ["No such channel"]


async def test_two_equal_actions_and_a_refused_one_beside_a_list(line: Line) -> None:
    asks = [
        asyncio.create_task(line.protocol.ask("Status", {"Channel": c}, deadline=60))
        for c in ("a.1", "a.1", "a.2")
    ]
    await settled()
    assert line.asked() == ["m1", "m2", "m3"]
    line.feed(b"Response: Success\r\nActionID: m1\r\nEventList: start\r\n\r\n")
    line.feed(b"Response: Error\r\nActionID: m3\r\nMessage: No such channel\r\n\r\n")
    line.feed(b"Response: Success\r\nActionID: m2\r\nEventList: start\r\n\r\n")
    line.feed(STATUS.format("a.1").encode() + STATUS.format("a.1").replace("m1", "m2").encode())
    line.feed(b"Event: StatusComplete\r\nActionID: m2\r\n\r\n")
    line.feed(b"Event: StatusComplete\r\nActionID: m1\r\n\r\n")
    first, second, third = await asyncio.gather(*asks)
    assert [m.action_id for m in first] == ["m1"] * 3
    assert [m.action_id for m in second] == ["m2"] * 3
    assert not third[0].success


async def test_headers_twice_in_an_answer_give_the_first(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("CoreSettings", deadline=60))
    await settled()
    line.feed(b"Response: Success\r\nActionID: m1\r\nMessage: a\r\nMessage: b\r\n\r\n")
    assert (await task)[0].message == "a"


async def test_the_deadline(line: Line) -> None:
    with pytest.raises(DeadlineError, match="no answer to Ping within"):
        await line.protocol.ask("Ping", deadline=0.01)
    line.feed(b"Response: Success\r\nActionID: m1\r\nPing: Pong\r\n\r\n" + OK)
    assert line.counters.strays == 1 and len(line.got) == 1
    assert line.wire.written.count(b"Action: ") == 1


async def test_an_answer_that_is_here_counts_even_if_our_loop_was_late(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("Ping", deadline=0.01))
    await settled()
    loop = asyncio.get_running_loop()
    until = loop.time() + 0.02

    def late() -> None:
        while loop.time() < until:
            pass
        # Runs in one round with the deadline, and before it.
        loop.call_soon(line.feed, b"Response: Success\r\nActionID: m1\r\nPing: Pong\r\n\r\n")

    loop.call_soon(late)
    assert (await task)[0].ping == "Pong"


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(line: Line) -> None:
    task = asyncio.create_task(line.protocol.ask("Ping", deadline=60))
    await settled()
    line.feed(b"Response: Success\r\nActionID: m1\r\nPing: Pong\r\n\r\n")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_end_forgets_all_that_was_not_answered(line: Line) -> None:
    hangup = line.protocol.ask("Hangup", {"Channel": "a.1"}, deadline=60)
    asks = [asyncio.create_task(hangup), asyncio.create_task(line.protocol.ask("Ping", deadline=9))]
    await settled()
    line.protocol.connection_lost(ConnectionResetError("reset"))
    results = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(r) for r in results] == [LinkLostError, LinkLostError]
    assert line.wire.aborted and await line.protocol.lost == "reset"
    with pytest.raises(NotSentError):
        await line.protocol.ask("Ping", deadline=60)
    line.protocol.data_received(OK)
    assert line.got == []


# --- what may be sent --------------------------------------------------------------------


@pytest.mark.fault("injection")
def test_the_actions_that_can_leave_the_process() -> None:
    assert set(ACTIONS) == {
        "Challenge",
        "Login",
        "Ping",
        "CoreStatus",
        "CoreSettings",
        "CoreShowChannels",
        "Status",
        "QueueStatus",
        "DeviceStateList",
        "Hangup",
        "ListCommands",
    }


GUARDED = [
    pytest.param("Originate", {}, "no action that may be sent", id="no action of ours"),
    pytest.param("hangup", {}, "no action that may be sent", id="not as in the table"),
    pytest.param("Ping\r\nAction: Command", {}, "no action", id="an action in the action"),
    pytest.param("Hangup", {"Action": "Originate"}, "no header", id="another action"),
    pytest.param("Hangup", {"action": "Originate"}, "no header", id="another action, lower case"),
    pytest.param("Hangup", {"ActionID": "x" * 300}, "no header", id="an ActionID"),
    pytest.param("Hangup", {"Channel\r\nX": "1"}, "no header", id="CRLF in the header's name"),
    pytest.param("Hangup", {"Channel:": "1"}, "no header", id="colon in the header's name"),
    pytest.param("Status", {"Variables": "X"}, "no header", id="unescaped variables"),
    *(
        pytest.param("Hangup", {"Channel": f"a{bad}b"}, "control characters", id=name)
        for name, bad in {
            "LF": "\n",
            "CR": "\r",
            "CRLF": "\r\nAction: Command\r\n\r\n",
            "NUL": "\0",
            "TAB": "\t",
            "DEL": "\x7f",
            "NEL": "\x85",
            "line separator": "\u2028",
            "paragraph separator": "\u2029",
            "lone surrogate": "\udc0a",
            "right-to-left mark": "\u202e",
        }.items()
    ),
    pytest.param("Hangup", {"Channel": None}, "control characters", id="no text"),
    pytest.param("Hangup", {"Channel": ["a", "b"]}, "control characters", id="a list"),
    pytest.param("Hangup", {"Channel": "x" * (MAX_VALUE + 1)}, "longer than", id="over-long"),
    pytest.param("Hangup", {"Channel": "ü" * (MAX_VALUE // 2 + 1)}, "longer than", id="in bytes"),
]


@pytest.mark.fault("injection")
@pytest.mark.parametrize(("name", "fields", "why"), GUARDED)
async def test_what_is_refused_never_reaches_the_wire(
    line: Line, name: str, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotSentError, match=why):
        await line.protocol.ask(name, fields, deadline=60)
    assert line.wire.written == b"" and not line.protocol._pending


async def test_panoramisks_own_way_to_send_is_shut(line: Line) -> None:
    with pytest.raises(NotImplementedError):
        line.protocol.send({"Action": "Command", "Command": "core stop now"})
    assert line.wire.written == b""


@settings(max_examples=200, deadline=None)
@given(value=st.text(max_size=40))
def test_what_passes_is_one_line(value: str) -> None:
    try:
        check_action("Status", {"Channel": value})
    except NotSentError:
        return
    assert len(f"Channel: {value}".splitlines()) == 1
    value.encode()
