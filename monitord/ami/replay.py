"""A trace applied again: the same translation and reduction as live, with the trace's own times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitord.ami.attachment import translate_item
from monitord.ami.headers import MalformedError
from monitord.ami.link import Item
from monitord.ami.trace import Header
from monitord.domain.events import At, Tick
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    Record,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
    key_of,
)
from monitord.domain.reducer import Change, reduce
from monitord.domain.state import Shard, new_shard

SETTLE_MS = 600_000
"""After the last item that much time passes, so that wrap-ups come to their end."""


@dataclass
class Replayed:
    """What a trace leads to."""

    shard: Shard
    rows: dict[tuple[Any, ...], Record] = field(default_factory=dict)
    """The last state of each ledger row."""
    changes: list[Change] = field(default_factory=list)
    malformed: int = 0

    def take(self, item: Item) -> None:
        try:
            event = translate_item(item)
        except MalformedError:
            self.malformed += 1
            return
        if event is not None:
            self._apply(event, At(item.mono, item.wall))

    def settle(self, last: At) -> None:
        self._apply(Tick(), At(last.mono + SETTLE_MS, last.wall + SETTLE_MS))

    def _apply(self, event: Any, at: At) -> None:
        outcome = reduce(self.shard, event, at)
        self.changes += outcome.changes
        for record in outcome.records:
            self.rows[key_of(record)] = record

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """The rows by table, oldest first, aliases left out."""

        def of(cls: type[Any]) -> list[dict[str, Any]]:
            rows: list[Any] = [r for r in self.rows.values() if type(r) is cls]
            return [msgspec.to_builtins(r) for r in sorted(rows, key=lambda r: (r.started, r.id))]

        return {
            "supervisions": of(SupervisionRecord),
            "segments": of(SegmentRecord),
            "calls": of(CallRecord),
            "statuses": of(StatusRecord),
            "gaps": of(GapRecord),
        }


def replay(header: Header, items: Iterable[Item], *, settle: bool = True) -> Replayed:
    """Apply a whole trace to an empty state, and let what was about to happen by mere time
    happen if ``settle``."""
    replayed = Replayed(new_shard(header.pbx, header.pbx, header.site))
    last = At(0, 0)
    for item in items:
        replayed.take(item)
        last = At(item.mono, item.wall)
    if settle:
        replayed.settle(last)
    return replayed
