"""What `monitord tail` makes of the stream: happenings as lines, and none steers a terminal."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from monitord.ami import trace
from monitord.ami.attachment import translate_item
from monitord.api.frames import encode_frame, snapshot
from monitord.domain.events import At
from monitord.domain.words import Provenance
from monitord.live.hub import Frame, Hub
from monitord.people.audience import Audience
from monitord.people.roster import EVERYBODY
from monitord.tail.connection import RefusedError, is_open_text, origin_of
from monitord.tail.happenings import (
    ConnectionLine,
    Follower,
    Line,
    PbxLine,
    StartOver,
    SupervisionHappening,
    SupervisionLine,
)
from monitord.tail.picture import Delta, Patch, Ref
from monitord.tail.plain import plain
from monitord.tail.safe import json_line, safe
from monitord.tail.table import Screen
from tests.kit.traces import FOLDER

ROOT = Path(__file__).parent.parent
ALL = Audience(EVERYBODY, EVERYBODY, EVERYBODY, numbers=True, alerts=True)
TRACES = sorted(FOLDER.rglob("*-22.jsonl"))


def played(path: Path) -> Iterator[tuple[Hub, bytes]]:
    """The frames that a client gets while a trace happens, after the snapshot of the beginning."""
    header, items = trace.read(path)
    hub = Hub([(header.pbx, header.pbx)], header.site, lambda records: None)
    frames: list[Frame] = []
    hub.listen(frames.append)
    yield hub, snapshot(hub, hub.epoch, ALL)
    for item in items:
        event = translate_item(item)
        if event is not None:
            hub.apply(header.pbx, event, At(item.mono, item.wall))
            hub.flush()
            while frames:
                frame = frames.pop(0)
                encoded = encode_frame(frame, hub.epoch, ALL, frame.seq - 1)
                assert encoded is not None
                yield hub, encoded


def told(path: Path) -> list[Line]:
    follower, lines = Follower(), []
    for _, frame in played(path):
        lines += follower.take(msgspec.json.decode(frame, type=Delta)) or []
    return lines


def names(lines: list[Line]) -> list[str]:
    return [line.happening for line in lines]


def rows(lines: list[Line]) -> list[SupervisionLine]:
    return [line for line in lines if isinstance(line, SupervisionLine)]


# --- happenings --------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRACES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_lines_alone_tell_what_is_shown(path: Path) -> None:
    """Somebody who has nothing but the lines knows at every point what the daemon shows."""
    follower = Follower()
    known: dict[str, SupervisionLine] = {}
    for hub, frame in played(path):
        for line in follower.take(msgspec.json.decode(frame, type=Delta)) or []:
            if isinstance(line, StartOver):
                known.clear()
            elif isinstance(line, SupervisionLine):
                assert (line.happening == "started") == (line.id not in known)
                known[line.id] = line
                if line.happening == "ended":
                    del known[line.id]
        shown = [e for e in hub.picture() if type(e).__name__ == "Supervision"]
        assert {s.id for s in shown} == known.keys()
        for supervision in shown:
            line = known[supervision.id]
            for name in ("state", "type", "at_least", "since", "started", "disconnect_by", "means"):
                assert getattr(line, name) == getattr(supervision, name), name
            assert line.supervisor == supervision.supervisor.name
            assert line.agent == (supervision.agent.name if supervision.agent else None)
            call = follower.picture.call(supervision.call)
            assert line.call_id == (call.call_id if call else None)
            if call is not None:
                assert line.call_state == call.state
                assert line.result == (call.result.value if call.result else None)
            if supervision.agent is not None:
                agent = follower.picture.agent(supervision.agent.id, supervision.pbx)
                assert line.agent_status == (agent.status if agent else None)


def test_a_coaching_from_start_to_end() -> None:
    lines = told(FOLDER / "supervision" / "each-type-dialplan-Coach-22.jsonl")
    assert names(lines)[:2] == ["start_over", "pbx"]
    of = rows(lines)
    assert (of[0].happening, of[-1].happening) == ("started", "ended")
    assert (of[0].supervisor, of[0].agent, of[0].type) == ("Sue Supervisor", "Ann Agent", "Coach")
    assert of[0].number == "0000001" and of[0].call_id
    assert of[-1].length_ms >= 0 and len({line.id for line in of}) == 1


def test_labels_the_next_call_a_key_and_a_take_over_are_told() -> None:
    labels = rows(told(FOLDER / "supervision" / "labels-change-while-live-22.jsonl"))
    assert "call_changed" in names([*labels])
    following = rows(told(FOLDER / "hard_cases" / "next-call-under-the-same-spy-22.jsonl"))
    kinds = names([*following])
    assert kinds.index("waiting") < kinds.index("segment_started")
    assert len({line.call_id for line in following if line.call_id}) == 2
    keys = rows(told(FOLDER / "keypad" / "followed-22.jsonl"))
    changed = [line.type for line in keys if line.happening == "type_changed"]
    assert len(set(changed)) >= 3
    kick = rows(told(FOLDER / "hard_cases" / "take-over-by-feature-code-support-22.jsonl"))
    assert kick[-1].type == "Barge-Kick"


def first() -> tuple[Follower, dict[str, Any]]:
    follower = Follower()
    frame: dict[str, Any] = {}
    for _, data in played(FOLDER / "supervision" / "each-type-dialplan-Coach-22.jsonl"):
        frame = json.loads(data)
        follower.take(msgspec.convert(frame, Delta))
        if follower.rows:
            return follower, frame
    raise AssertionError("no supervision")


def test_what_comes_twice_tells_nothing_and_a_hole_is_noticed() -> None:
    follower, frame = first()
    held = dict(follower.rows)
    assert follower.take(msgspec.convert(frame, Delta)) == []
    gone = [Ref("supervision", next(iter(held)))]
    later = Delta(frame["epoch"], frame["seq"] + 2, 1, after=frame["seq"] + 1, remove=gone)
    assert follower.take(later) is None
    other = Delta("another run", frame["seq"] + 1, 1)
    assert follower.take(other) is None
    assert follower.rows == held


def test_kinds_of_a_newer_daemon_are_none_of_our_business() -> None:
    follower, frame = first()
    delta = Delta(
        frame["epoch"],
        frame["seq"] + 1,
        1,
        add=[{"kind": "weather", "id": "w"}],
        change=[Patch("weather", "w", {"x": 1}), Patch("supervision", "nobody", {"type": "Barge"})],
        remove=[Ref("weather", "w")],
    )
    assert follower.take(delta) == []


# --- what is written ---------------------------------------------------------------------

HOSTILE = "\x1b[2J\x9b31m\r\n\x07\x00\x7f\u202eeno\u2028[bold red]x[/]\U000e0001\ud7ff"


def hostile() -> Follower:
    """Every text of the telephone network, and of the queue, is an attack."""
    follower, frame = first()
    (row,) = follower.rows.values()
    supervision = follower.picture.supervisions[row.id]
    party = {"id": supervision.agent.id if supervision.agent else "", "endpoint": HOSTILE}
    value = {"value": HOSTILE, "provenance": "observed"}
    agent = follower.picture.agent(party["id"], row.pbx)
    assert agent is not None
    changes = [
        ("pbx", row.pbx, {"name": HOSTILE, "detail": HOSTILE, "version": HOSTILE}),
        ("agent", agent.id, {"reason": HOSTILE, "status": "paused"}),
        (
            "call",
            supervision.call,
            dict.fromkeys(("number", "campaign", "list", "result"), value) | {"call_id": HOSTILE},
        ),
        (
            "supervision",
            row.id,
            {
                "agent": {**party, "name": HOSTILE},
                "supervisor": {"id": "x", "name": HOSTILE, "endpoint": ""},
                "disconnect_by": HOSTILE,
            },
        ),
    ]
    lines = follower.take(
        Delta(
            frame["epoch"], frame["seq"] + 1, 1, change=[Patch(k, str(i), s) for k, i, s in changes]
        )
    )
    assert lines is not None and {"pbx", "call_changed", "agent_changed"} <= set(names(lines))
    for line in [*lines, ConnectionLine("connection", 1, "lost", HOSTILE)]:
        assert plain(line).isprintable()
        text = json_line(line)
        assert text.isprintable()
        assert json.loads(text) == msgspec.to_builtins(line), "and nothing is lost by it"
    return follower


@pytest.mark.parametrize("width", [60, 100, 200])
def test_no_name_steers_a_terminal(width: int) -> None:
    follower = hostile()
    screen = Screen("http://127.0.0.1:8080", follower)
    screen.connection(live=False, why=HOSTILE)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=width)
    console.print(screen.render(console))
    # What is left after the colours that we set ourselves is printable.
    left = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).replace("\n", "")
    assert left.isprintable(), ascii(left)
    if width == 200:
        assert "[bold red]" in left, "markup is text"
        assert "\\x1b[2J" in left


@given(st.text(max_size=200))
def test_any_text_is_safe(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return  # no frame can hold it
    line = json_line({"x": text})
    assert line.isprintable() and json.loads(line) == {"x": text}


def test_a_long_name_is_cut_and_a_foreign_one_is_not_touched() -> None:
    assert safe("José Müller 山田") == "José Müller 山田"
    assert len(safe("x" * 10_000)) == 60


def test_how_a_number_is_known_is_said() -> None:
    follower, frame = first()
    (row,) = follower.rows.values()
    call = follower.picture.supervisions[row.id].call
    value = {"value": "5550100", "provenance": Provenance.UNVERIFIED.value}
    delta = Delta(
        frame["epoch"], frame["seq"] + 1, 1, change=[Patch("call", str(call), {"number": value})]
    )
    follower.take(delta)
    out = io.StringIO()
    console = Console(file=out, width=200)
    console.print(Screen("http://x", follower).render(console))
    assert "5550100 (unverified)" in out.getvalue()


# --- the document ------------------------------------------------------------------------


def test_the_fields_documented_are_the_fields_sent() -> None:
    text = (ROOT / "docs" / "tail.md").read_text()
    sections = dict(re.findall(r"(?m)^### ([\w, ]+)\n([\s\S]*?)(?=^### |\Z)", text))
    found = {title: re.findall(r"(?m)^\| `(\w+)` \|", body) for title, body in sections.items()}
    kinds = ", ".join(get_args(SupervisionHappening))
    for title, cls in (
        ("start_over", StartOver),
        ("pbx", PbxLine),
        ("connection", ConnectionLine),
        (kinds, SupervisionLine),
    ):
        assert sorted(found.pop(title)) == sorted(cls.__struct_fields__), title
    assert found == {}


def test_lines_have_all_their_fields() -> None:
    for line in told(FOLDER / "keypad" / "followed-22.jsonl"):
        assert set(json.loads(json_line(line))) == set(line.__struct_fields__)


# --- a client like any other -------------------------------------------------------------


def test_it_imports_nothing_of_the_server_but_the_wire() -> None:
    code = (
        "import sys; import monitord.tail.command;"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] == 'monitord'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = ("monitord.tail", "monitord.api.wire.")
    others = {m for m in done.stdout.split() if not m.startswith(own)}
    assert others == {
        *("monitord", "monitord.foreground", "monitord.api", "monitord.api.wire"),
        *("monitord.domain", "monitord.domain.views", "monitord.domain.words"),
        *("monitord.people", "monitord.people.permissions", "monitord.people.words"),
    }


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80/", "http://localhost"),
        ("https://Monitord.Example:443", "https://monitord.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_address(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://x",
        "http://",
        "http://x/page",
        "http://x:99999",
        "http://a@x/",
        "http://x?y",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(RefusedError, match="--url: "):
        origin_of(url)


def test_a_password_in_the_open_is_warned_of() -> None:
    assert is_open_text("http://monitord.example")
    assert not is_open_text("https://monitord.example")
    assert not is_open_text("http://127.0.0.1:8080")
