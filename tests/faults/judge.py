"""At the end of a run: the daemon's picture and the ledger against what the simulator did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.words import LinkState
from tests.kit.truth import Comparison, Row, Supervision, truth_of

if TYPE_CHECKING:
    from tests.faults.chaos import Chaos

TABLES: dict[str, type[Any]] = {
    "supervisions": SupervisionRecord,
    "segments": SegmentRecord,
    "calls": CallRecord,
    "statuses": StatusRecord,
    "gaps": GapRecord,
}

JUST_NOW_MS = 5000
"""A call that came so lately may have dialled nobody yet."""


def at_the_end(chaos: Chaos) -> None:
    shard = chaos.hub.shards["lab"]
    assert shard.link is LinkState.LIVE and not chaos.attachment.failed, chaos.history.bugs
    _converged(chaos)
    for viewer in chaos.viewers:
        viewer.check_all()
    chaos.watch.level()
    chaos.watch.open_statuses()
    if chaos.plan.lossless:
        _true(chaos)


def _converged(chaos: Chaos) -> None:
    """I5: what is open is what the simulator has, both ways."""
    shard, pbx = chaos.hub.shards["lab"], chaos.sim.centre.pbx
    truth = truth_of(chaos.sim.truth.lines)
    _same("channels", set(shard.channels), set(pbx.channels))
    seen = {r.spyer for r in chaos.watch.rows.values() if isinstance(r, SupervisionRecord)}
    running = [s for s in truth.supervisions if s.ended is None]
    here = {s.spyer for s in shard.supervisions.values()}
    # Of whom a part was lost only what the PBX itself tells of now can be known.
    known = seen if chaos.plan.lossless else set()
    there = {s.spyer for s in running if s.spyer in known or _can_be_known(s)}
    _same("supervisions", here, there | (here & {s.spyer for s in running}))
    wanted = {c.of["call"]: c for c in truth.calls if c.ended is None}
    now = round(chaos.sim.clock.wall * 1000)
    # A damaged linkedid at its beginning stays the name of a call, among others.
    calls = {
        next((a for a in c.aliases if a in wanted), c.call_id)
        for c in shard.calls.values()
        if c.real
    }
    lately = {n for n, c in wanted.items() if c.started > now - JUST_NOW_MS and not c.answered}
    _same("calls", calls | lately, set(wanted))
    open_rows = {
        name: {r.id for r in chaos.watch.rows.values() if isinstance(r, kind) and r.ended is None}
        for name, kind in TABLES.items()
    }
    _same("rows of supervisions", open_rows["supervisions"], set(shard.supervisions))
    _same("rows of calls", open_rows["calls"], {c.id for c in shard.calls.values() if c.real})
    _same("rows of gaps", open_rows["gaps"], set())


def _can_be_known(true: Supervision) -> bool:
    """From what a PBX tells of now. Who waits for another call may as well wait for the first, and
    who took a call over is one of two people in a call."""
    last = true.segments[-1]
    return last.ended is None and last.type != "Barge-Kick"


def _same(what: str, here: set[str], there: set[str]) -> None:
    assert here == there, (
        f"{what}: only the daemon has {sorted(here - there)}, "
        f"only the simulator {sorted(there - here)}"
    )


def ledger(rows: dict[Any, Any]) -> dict[str, list[Row]]:
    return {
        name: [msgspec.to_builtins(r) for r in rows.values() if isinstance(r, kind)]
        for name, kind in TABLES.items()
    }


def _true(chaos: Chaos) -> None:
    """Nothing was lost, so nothing may be missing, invented or otherwise."""
    truth = truth_of(chaos.sim.truth.lines)
    gaps = [(0, chaos.attached_at), *chaos.gaps]
    wrong = Comparison(truth, ledger(chaos.watch.rows), gaps).run()
    assert not wrong, "\n".join(wrong)
    # What is due within a minute: wrap-ups.
    later = chaos.now + 60_000
    chaos.hub.apply("lab", ev.Tick(), At(later, later))
    chaos.watch.state()
