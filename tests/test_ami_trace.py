"""Traces: what is written can be read and says nothing that must not leave a site."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.ami.link import Item, Step
from monitord.ami.protocol import Received
from monitord.ami.replay import replay
from monitord.ami.trace import Header, Recorder, Scrubber, TraceError, read
from monitord.domain import events as ev
from monitord.domain.ledger import GapRecord
from monitord.domain.site import Person, Site
from monitord.domain.words import LinkState
from tests.kit.ami_text import CHANSPYSTART, NEWCHANNEL, NEWEXTEN

SITE = Site(
    variables={"CAMPAIGN": "campaign"},
    people=(Person("ann", "Ann", ("PJSIP/1001",), ("1001",), True),),
    wrap_up_reasons=frozenset({"wrap"}),
    wrap_up_s={"*": 5},
)
ITEMS: list[Item] = [
    Step(1, 1001, ev.LinkChanged(LinkState.SYNCING, "José")),
    Step(2, 1002, ev.BootSeen("2026-11-22T04:08:34", "22.10.1")),
    Step(2, 1002, ev.ResyncBegun()),
    Step(3, 1003, ev.ResyncEnded()),
    Received(4, 1004, "Newchannel", NEWCHANNEL),
    Received(5, 1005, "Newexten", NEWEXTEN, reply=True),
    Received(6, 1006, "ChanSpyStart", CHANSPYSTART),
    Step(7, 1007, ev.ChannelUnknown("a.1")),
    Step(7, 1007, ev.ChannelUnknown("a.3")),
    Step(8, 1008, ev.DisconnectSent("s", "sue", "Sue")),
    Step(8, 1008, ev.DisconnectSettled("s")),
]


def write(items: list[Item], numbers: tuple[str, ...] = (), site: Site = SITE) -> bytes:
    file = io.BytesIO()
    recorder = Recorder(file, Scrubber(numbers))
    recorder.begin(Header(pbx="lab", site=site))
    for item in items:
        recorder.take(item)
    return file.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


def read_bytes(path: Path, data: bytes) -> tuple[Header, list[Item]]:
    path.write_bytes(data)
    return read(path)


# --- round trip --------------------------------------------------------------------------


def test_what_is_written_is_read(path: Path) -> None:
    header, items = read_bytes(path, write(ITEMS))
    assert header == Header(pbx="lab", site=SITE)
    assert items == ITEMS


def test_a_replay_of_the_written_gives_the_same(path: Path) -> None:
    header, items = read_bytes(path, write(ITEMS))
    assert replay(header, items).ledger() == replay(Header(pbx="lab", site=SITE), ITEMS).ledger()


def test_malformed_messages_are_counted_in_a_replay() -> None:
    items: list[Item] = [Received(1, 1, "Hangup", "Event: Hangup"), *ITEMS]
    assert replay(Header(pbx="lab", site=SITE), items).malformed == 1


def test_what_the_ledger_remembers_comes_back(path: Path) -> None:
    gap = GapRecord(id="g", pbx="lab", started=1, ended=None, why="cut")
    remembered = Step(1, 1, ev.Remembered((), (), (), (), 7, (gap,), frozenset({"a"})))
    assert read_bytes(path, write([remembered]))[1] == [remembered]


def test_what_is_no_step_is_left_out(path: Path) -> None:
    assert read_bytes(path, write([Step(1, 1, ev.Tick())]))[1] == []


def test_each_line_is_on_disk_at_once(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        recorder = Recorder(file, Scrubber(()))
        recorder.begin(Header(pbx="lab", site=SITE))
        recorder.take(ITEMS[4])
        assert read(tmp_path / "a.jsonl")[1] == [ITEMS[4]]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_comes_back(text: str) -> None:
    line = msgspec.json.decode(write([Received(1, 2, "X", text)]).splitlines()[1])
    assert line.get("text", "") == text


# --- scrubbing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("Event: X\r\nSecret: abc\r\nNext: 1", "Event: X\r\nSecret: ***\r\nNext: 1"),
        ("Event: X\r\nkey: 0123abcd", "Event: X\r\nkey: ***"),
        ("PASSWORD: a: b", "PASSWORD: ***"),
        ("Challenge: 123\r\nReceivedChallenge: 4\r\nExpectedResponse: 5", None),
        ("Keyword: stays\r\nX: Secret: stays", "Keyword: stays\r\nX: Secret: stays"),
    ],
)
def test_secrets(text: str, scrubbed: str | None) -> None:
    expected = scrubbed or "Challenge: ***\r\nReceivedChallenge: ***\r\nExpectedResponse: ***"
    assert Scrubber(()).scrub(text) == expected


NUMBERS = ("5551234", "1234", "+15551234", "")


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("CallerIDNum: 5551234", "CallerIDNum: 0000002"),
        ("CallerIDNum: +15551234", "CallerIDNum: +00000001"),
        ("Exten: 1234", "Exten: 0003"),
        ("Channel: PJSIP/1234-00000001", "Channel: PJSIP/0003-00000001"),
        ("Channel: Local/5551234@out-00000001;2", "Channel: Local/0000002@out-00000001;2"),
        ("DialString: sip:5551234@trunk", "DialString: sip:0000002@trunk"),
        ("AppData: PJSIP/1234&PJSIP/5551234", "AppData: PJSIP/0003&PJSIP/0000002"),
        ("CallerIDName: none of them", "CallerIDName: none of them"),
    ],
)
def test_numbers_longest_first_and_always_the_same(text: str, scrubbed: str) -> None:
    assert Scrubber(NUMBERS).scrub(text) == scrubbed


def test_every_place_of_a_trace_is_scrubbed() -> None:
    secret = "5550199"
    person = Person("ann", "Ann", (f"PJSIP/{secret}",), (secret,), True)
    site = Site(people=(person,), wrap_up_s={secret: 5}, agent_patterns=(f"PJSIP/{secret}*",))
    data = write(
        [
            Step(1, 1, ev.LinkChanged(LinkState.LOST, f"gone {secret}")),
            Step(1, 1, ev.LinkChanged(LinkState.LOST, f"PJSIP/{secret},q")),
            Step(1, 1, ev.ChannelUnknown(f"{secret}.1")),
            Received(1, 1, "Newchannel", f"Event: Newchannel\r\nChannel: PJSIP/{secret}-1"),
        ],
        (secret,),
        site,
    )
    assert secret.encode() not in data and data.count(b"0000001") == 8
    assert len(data.splitlines()) == 5


# --- what is no trace --------------------------------------------------------------------

GOOD = write(ITEMS[:2])


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        pytest.param(b"", 1, "no trace header", id="empty"),
        pytest.param(b"hello\n", 1, "no trace header", id="not JSON"),
        pytest.param(b"\xff\xfe\x00\x01" * 100, 1, "no trace header", id="binary"),
        pytest.param(b"[]\n", 1, "no trace header", id="another JSON"),
        pytest.param(b'{"pbx":"a","site":{},"more":1}\n', 1, "more", id="unknown field"),
        pytest.param(b'{"pbx":"a","site":{},"version":2}\n', 1, "version 1", id="newer"),
        pytest.param(b'{"pbx":"a","site":{},"format":"x"}\n', 1, "monitord trace", id="other"),
        pytest.param(GOOD + b"{}\n", 4, "mono", id="no times"),
        pytest.param(GOOD + b"oops\n" + GOOD, 4, "broken", id="not JSON in the middle"),
        pytest.param(GOOD + b"\n", 4, "broken", id="empty line"),
        pytest.param(GOOD + b'{"mono":"1","wall":2}\n', 4, "mono", id="text for a time"),
        pytest.param(GOOD + b'{"mono":1,"wall":2,"step":{}}\n', 4, "type", id="step without type"),
        *(
            pytest.param(
                GOOD + b'{"mono":1,"wall":2,"step":' + json.dumps(step).encode() + b"}\n",
                4,
                "broken",
                id=name,
            )
            for name, step in {
                "no such step": {"type": "Tick"},
                "a list for a step's type": {"type": ["BootSeen"]},
                "a step without its fields": {"type": "BootSeen"},
                "a step with a wrong word": {"type": "LinkChanged", "link": "x"},
            }.items()
        ),
    ],
)
def test_a_broken_trace_names_file_line_and_rule(
    path: Path, data: bytes, line: int, why: str
) -> None:
    with pytest.raises(TraceError) as caught:
        read_bytes(path, data)
    text = str(caught.value)
    assert text.startswith(f"{path}: line {line}") and why in text


def test_an_error_does_not_steer_a_terminal(path: Path) -> None:
    header = {"pbx": "a", "site": {}, "\x1b[2J\x9b\u202e" + "x" * 9000: 1}
    with pytest.raises(TraceError) as caught:
        read_bytes(path, json.dumps(header).encode() + b"\n")
    text = str(caught.value)
    assert text.isprintable() and "?[2J??" in text and len(text) < 900


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_by_a_kill_costs_only_itself(path: Path, cut: int) -> None:
    data = write(ITEMS)[:-cut]
    _, items = read_bytes(path, data)
    whole = len(ITEMS) if cut == 1 else data.count(b"\n") - 1
    assert items == ITEMS[:whole]


def test_every_kind_of_step_comes_back(path: Path) -> None:
    kinds: set[Any] = {type(i.event) for i in ITEMS if isinstance(i, Step)}
    _, items = read_bytes(path, write(ITEMS))
    assert {type(i.event) for i in items if isinstance(i, Step)} == kinds
