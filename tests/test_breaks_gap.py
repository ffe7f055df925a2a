"""A gap at any place of a recorded trace: the connection is cut, or the daemon is killed, and
what the PBX answers afterwards is all that is known of what was missed.

Driven without sockets, on the trace's own times, so that every place of each scenario is tried.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.ami import trace
from monitord.ami.link import Item, Step
from monitord.ami.trace import Header
from monitord.domain import events as ev
from monitord.domain.events import At, Remembered
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    Record,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
    key_of,
)
from monitord.domain.reducer import reduce
from monitord.domain.state import Shard, Supervision, new_shard
from monitord.domain.words import LinkState
from tests.kit.breaks import Pbx, Timed, live_from, pairs_of, timed
from tests.kit.invariants import check_row
from tests.kit.traces import kept_traces

TRACES = kept_traces(unbroken=True)
NAMES = [f"{p.parent.name}/{p.stem}" for p in TRACES]

every_trace = pytest.mark.parametrize("path", TRACES, ids=NAMES)

# Without those in which Asterisk itself leaves an end out, so that the whole one has no better.
TOLD = [p for p in TRACES if p.parent.name != "missing"]
told = pytest.mark.parametrize("path", TOLD, ids=[f"{p.parent.name}/{p.stem}" for p in TOLD])

Rows = dict[tuple[object, ...], Record]


class Process:
    """One run of the daemon on a ledger that outlives it."""

    def __init__(self, header: Header, rows: Rows) -> None:
        self.shard: Shard = new_shard(header.pbx, header.pbx, header.site)
        self.rows = rows

    def feed(self, events: Iterable[Timed | None]) -> None:
        for pair in events:
            if pair is None:
                continue
            for record in reduce(self.shard, *pair).records:
                key, old = key_of(record), self.rows.get(key_of(record))
                check_row(old, record)
                self.rows[key] = record


def of(rows: Rows, *kinds: type[Any]) -> dict[Any, Any]:
    return {r.id: r for r in rows.values() if isinstance(r, kinds)}


KEPT = (SupervisionRecord, SegmentRecord, CallRecord)


def check_against(whole: Rows, broken: Rows, *, moving: Container[str] = ()) -> None:
    """The ledger of a run with a gap says nothing that the whole one does not, if perhaps less
    sharply, and has nothing open. Of the supervisions that were ``moving`` only that they are
    there and closed."""
    for kind in (SupervisionRecord, CallRecord):
        real, got = of(whole, kind), of(broken, kind)
        assert got.keys() == real.keys(), kind
        for row_id, row in got.items():
            true = real[row_id]
            if row_id not in moving:  # else Asterisk itself did not tell it (traces/missing)
                check_end(true, row)
            assert (row.started == true.started) or not row.started_exact
    for row in of(broken, *KEPT, GapRecord).values():
        assert row.ended is not None, f"left open: {row}"
    supervisions = of(broken, SupervisionRecord)
    for row_id, true in of(whole, SupervisionRecord).items():
        row = supervisions[row_id]
        if row_id in moving:
            continue
        assert row.agent_id == true.agent_id and row.supervisor_id == true.supervisor_id
        if not row.at_least:
            assert row.type is true.type, f"{row.type} and not {true.type}"
        assert row.type.strength <= true.type.strength


def check_end(true: Any, row: Any) -> None:
    if row.ended_exact:
        assert row.ended == true.ended, f"{row} but truly {true}"
    else:
        assert row.ended_after <= true.ended <= row.ended, f"{row} but truly {true}"


@contextmanager
def said(place: int) -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"broken behind item {place}: {error}") from None


def lost(at: At) -> Timed:
    return ev.LinkChanged(LinkState.LOST, "cut"), at


def time_of(item: Item) -> At:
    return At(item.mono, item.wall)


def run(header: Header, events: list[Timed | None]) -> Rows:
    rows: Rows = {}
    process = Process(header, rows)
    process.feed(events)
    return rows


@every_trace
def test_the_stand_in_answers_as_asterisk_did(path: Path) -> None:
    """Where the trace has the answers of the real one: the same channels, bridges and spies."""
    _, items = trace.read(path)
    pbx = Pbx(items)
    told: dict[str, list[str]] | None = None
    for item in items:
        if isinstance(item, Step):
            if isinstance(item.event, ev.MarkBegun | ev.ReconcileBegun):
                told = {}
            elif isinstance(item.event, ev.MarkEnded | ev.ReconcileEnded):
                answers = [dict(pairs_of(t)) for n, t in pbx.answers() if n == "Status"]
                assert told is not None
                mine = {a["Uniqueid"]: _outline(a) for a in answers}
                # More only where a Hangup is withheld (ami-facts 0.4, 1.2).
                assert {u: mine.get(u) for u in told} == told
                told = None
        elif told is not None and item.name == "Status" and item.reply:
            one = dict(pairs_of(item.text))
            told[one["Uniqueid"]] = _outline(one)
        pbx.take(item)


def _outline(one: dict[str, str]) -> list[str]:
    keys = ("Channel", "ChannelStateDesc", "CallerIDNum", "Linkedid", "BridgeID")
    spy = [one["Application"], one["Data"]] if one["Application"] == "ChanSpy" else []
    return [one.get(k, "") for k in keys] + spy


def takes(path: Path, place: int, every: int) -> bool:
    """The two versions tell nearly the same in nearly the same places; each takes other ones."""
    return place % every == ("-22" in path.stem) % every


FEW, ALL = 4, 1
"""A break at each so manieth message."""

few_and_all = pytest.mark.parametrize(
    "every", [FEW, pytest.param(ALL, marks=pytest.mark.faults)], ids=["few", "all"]
)


@pytest.mark.fault("AMI TCP drop in mid-event")
@few_and_all
@told
def test_a_gap_in_which_nothing_happens(path: Path, every: int) -> None:
    """At each fourth message, in `make faults` at each: cut, and a resync that lists exactly what
    is alive. Who, what and when stays the same; only what was not seen to begin or to end may be
    said less sharply."""
    header, items = trace.read(path)
    events = timed(items)
    whole = run(header, events)
    pbx, first = Pbx(items), live_from(items)
    for place, item in enumerate(items):
        pbx.take(item)
        if place < first or not takes(path, place, every):
            continue
        at = time_of(item)
        gap = [lost(at), *pbx.resync(at)]
        broken = run(header, [*events[: place + 1], *gap, *events[place + 1 :]])
        with said(place):
            check_against(whole, broken)


def memory(rows: Rows, last_seen: int) -> Remembered:
    """As monitord.store.memory reads it from a database."""
    open_rows = [r for r in rows.values() if getattr(r, "ended", 0) is None]
    supervisions = tuple(r for r in open_rows if isinstance(r, SupervisionRecord))
    ids = {s.id for s in supervisions}
    return Remembered(
        supervisions=supervisions,
        segments=tuple(
            r for r in rows.values() if isinstance(r, SegmentRecord) and r.supervision in ids
        ),
        calls=tuple(r for r in open_rows if isinstance(r, CallRecord)),
        statuses=tuple(r for r in open_rows if isinstance(r, StatusRecord)),
        last_seen=last_seen,
        gaps=tuple(r for r in open_rows if isinstance(r, GapRecord)),
        used=frozenset(
            r.id
            for r in rows.values()
            if isinstance(r, SupervisionRecord | CallRecord) and r.ended is not None
        ),
    )


def moving(shard: Shard) -> set[str]:
    """Supervisions on their way from the spy into a bridge with the customer. It takes some ms,
    and no daemon is back so soon; one that was would see them nowhere."""

    def alone(s: Supervision) -> bool:
        return s.bridge is not None and not s.segments[-1].in_bridge

    return {s.id for s in shard.supervisions.values() if s.left is not None or alone(s)}


def restart_at(
    header: Header, events: list[Timed | None], place: int, pbx: Pbx, at: At, whole: Rows
) -> None:
    rows: Rows = {}
    before = Process(header, rows)
    before.feed(events[: place + 1])
    process = Process(header, rows)
    process.feed([(memory(rows, at.wall), at), *pbx.resync(at), *events[place + 1 :]])
    check_against(whole, rows, moving=moving(before.shard))
    agents = [r.agent_endpoint for r in of(rows, StatusRecord).values() if r.ended is None]
    assert len(agents) == len(set(agents)), "two open intervals of one agent"


@pytest.mark.fault("daemon kill -9 mid-session")
@few_and_all
@told
def test_a_restart_of_the_daemon(path: Path, every: int) -> None:
    """At each fourth message, in `make faults` at each: killed, and begun anew with what the ledger
    had open."""
    header, items = trace.read(path)
    events = timed(items)
    whole = run(header, events)
    pbx, first = Pbx(items), live_from(items)
    for place, item in enumerate(items):
        pbx.take(item)
        if place >= first and takes(path, place, every):
            with said(place):
                restart_at(header, events, place, pbx, time_of(item), whole)
