"""Every kept trace of real Asterisk, applied again: whole, twice over, and from any point on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitord.ami import trace
from monitord.ami.attachment import translate_item
from monitord.ami.link import Item, Step
from monitord.ami.protocol import Received
from monitord.ami.replay import Replayed, replay
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.ledger import AliasRecord, CallRecord
from monitord.domain.reducer import picture, reduce
from monitord.domain.state import new_shard
from tests.kit.traces import kept_traces, rows_file, rows_text

TRACES = kept_traces()
NAMES = [f"{p.parent.name}/{p.stem}" for p in TRACES]

every_trace = pytest.mark.parametrize("path", TRACES, ids=NAMES)


def test_there_are_traces_of_both_versions() -> None:
    assert {p.stem.rpartition("-")[2] for p in TRACES} == {"16", "22"}


@every_trace
def test_rows_are_as_reviewed(path: Path) -> None:
    assert rows_text(path) == rows_file(path).read_text()


@every_trace
def test_what_is_left_is_what_is_open(path: Path) -> None:
    """No row stays open without its supervision or call, and none of these without its row."""
    replayed = replay(*trace.read(path))
    rows, shard = replayed.ledger(), replayed.shard
    assert replayed.malformed == 0
    for name, left in (("supervisions", shard.supervisions), ("calls", shard.calls)):
        assert {r["id"] for r in rows[name] if r["ended"] is None} == set(left)
    open_segments = {s["supervision"] for s in rows["segments"] if s["ended"] is None}
    assert open_segments <= set(shard.supervisions)


@pytest.mark.parametrize(
    "path", kept_traces(unbroken=True), ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_nothing_is_left_after_all_hang_ups(path: Path) -> None:
    shard = replay(*trace.read(path)).shard
    assert not shard.channels and not shard.calls and not shard.supervisions
    assert not shard.bridges and not shard.by_spyer and not shard.by_linkedid
    assert not shard.spies_of and not shard.wrapping and not shard.ended_calls
    assert {e.__struct_config__.tag for e in picture(shard)} <= {"pbx", "agent"}


@every_trace
def test_each_event_twice_changes_nothing(path: Path) -> None:
    header, items = trace.read(path)
    twice = [i for item in items for i in (item, item)]
    once = replay(header, items).ledger()
    assert replay(header, twice).ledger() == once


@every_trace
def test_any_start_is_taken(path: Path) -> None:
    """From the middle, with no resync: no event may fail, and every channel that ends is gone."""
    header, items = trace.read(path)
    for start in range(0, len(items), 7):
        replayed = Replayed(new_shard(header.pbx, header.pbx, header.site))
        for item in items[start:]:
            replayed.take(item)
        ended = {u for u in replayed.shard.channels if u in replayed.shard.gone}
        assert not ended


LABELS = ("agent_id", "number", "campaign", "list", "result", "queue")


def outlines(replayed: Replayed) -> dict[str, list[tuple[Any, ...]]]:
    """What must be the same whether one was there from the beginning or came later: who, what and
    how it ended. Not when it began, and not what was there before; where the end is only a window,
    not the end. What somebody who came later cannot know is None."""
    rows = replayed.ledger()

    def end(row: dict[str, Any]) -> tuple[Any, ...]:
        return (row["ended"], row.get("end_reason")) if row["ended_exact"] else (None, None)

    return {
        "supervisions": [
            (s["spyer"], s["supervisor_id"], s["agent_id"], s["campaign"], *end(s))
            for s in rows["supervisions"]
        ],
        "segments": [
            # One that may have been switched before anybody looked may also end sooner, by a key
            # that changed nothing for somebody who knew.
            (s["spyee"], s["number"], *((None,) if s["at_least"] else (s["type"], *end(s))))
            for s in rows["segments"]
        ],
        "calls": [(c["call_id"], *(c[k] or None for k in LABELS), *end(c)) for c in rows["calls"]],
    }


def fits(late: tuple[Any, ...], whole: tuple[Any, ...]) -> bool:
    """Whether a row says nothing else than the other, if perhaps less."""
    return all(a is None or a == b for a, b in zip(late, whole, strict=False))


def marks(items: list[Item]) -> list[tuple[int, int]]:
    """Places of each MarkBegun and its MarkEnded."""
    steps = [(n, type(i.event)) for n, i in enumerate(items) if isinstance(i, Step)]
    begun = [n for n, kind in steps if kind is ev.MarkBegun]
    ended = [n for n, kind in steps if kind is ev.MarkEnded]
    return list(zip(begun, ended, strict=True))


@every_trace
def test_saved_snapshot_and_rest_is_the_whole(path: Path) -> None:
    """Started at a mark, from what the PBX answered there, the end is the same."""
    header, items = trace.read(path)
    whole = outlines(replay(header, items))
    boot = next(i for i in items if isinstance(i, Step) and isinstance(i.event, ev.BootSeen))
    for begun, ended in marks(items):
        before = replay(header, items[:begun], settle=False).shard
        snapshot = [
            boot,
            Step(items[begun].mono, items[begun].wall, ev.ResyncBegun()),
            *(i for i in items[begun:ended] if isinstance(i, Received) and i.reply),
            Step(items[ended].mono, items[ended].wall, ev.ResyncEnded()),
        ]
        late = outlines(replay(header, snapshot + items[ended:]))
        for name, rows in late.items():
            for row in rows:
                assert any(fits(row, w) for w in whole[name]), f"mark at {begun}, {name}: {row}"
        assert {c.call_id for c in before.calls.values() if c.real} <= {c[0] for c in late["calls"]}
        # The PBX itself does not show that two who share a bridge are a supervisor who took over
        # and a customer; only the ledger knows (tests/asterisk/test_late_attach.py).
        running = {s.spyer for s in before.supervisions.values() if s.bridge is None}
        assert running <= {s[0] for s in late["supervisions"]}


@every_trace
def test_changes_make_up_the_picture(path: Path) -> None:
    """Applying each change to what was shown before gives what is shown now, at every point."""
    header, items = trace.read(path)
    shard = new_shard(header.pbx, header.pbx, header.site)
    shown: dict[tuple[str, str], object] = {}
    for item in items:
        event = translate_item(item)
        if event is None:
            continue
        for change in reduce(shard, event, At(item.mono, item.wall)).changes:
            key = (change.kind, change.id)
            assert shown.get(key) == change.old
            if change.new is None:
                del shown[key]
            else:
                shown[key] = change.new
        assert sorted(map(repr, shown.values())) == sorted(map(repr, picture(shard)))


@every_trace
def test_no_secret_and_no_number_of_a_customer(path: Path) -> None:
    text = path.read_text()
    for number in ("5551234", "5559876"):
        assert number not in text
    for item in trace.read(path)[1]:
        if isinstance(item, Received):
            assert not item.text.lower().startswith(("secret", "key"))
    json.loads(text.split("\n", 1)[0])


@every_trace
def test_a_call_is_found_by_every_name_it_had(path: Path) -> None:
    """Its Call ID is an alias of each call, and no alias is told for a call without a row."""
    header, items = trace.read(path)
    replayed = replay(header, items)
    calls = {r.id: r for r in replayed.rows.values() if isinstance(r, CallRecord)}
    told = {(r.alias, r.call) for r in replayed.rows.values() if isinstance(r, AliasRecord)}
    told |= {(call.call_id, call.id) for call in remembered_calls(items)}  # by who came before
    assert {(c.call_id, c.id) for c in calls.values()} <= told
    assert {call for _, call in told} == calls.keys()


def remembered_calls(items: list[Item]) -> list[CallRecord]:
    steps = (i.event for i in items if isinstance(i, Step))
    return [call for e in steps if isinstance(e, ev.Remembered) for call in e.calls]
