"""The hub: applies events, numbers the changes, keeps a short log of them and fans them out."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitord.domain.events import At, Event
from monitord.domain.ledger import Record
from monitord.domain.reducer import Change, Outcome, picture, reduce, settle
from monitord.domain.site import Directory, Person, Site
from monitord.domain.state import Shard, Supervision, new_shard
from monitord.domain.views import Alert, Entity, Flag, Notice
from monitord.domain.words import LinkState

LOG_MOST = 2000
CHANGES_MOST = 20_000
"""Frames kept for clients that come back after a short break, and changes in all of them: under
load one frame has hundreds."""


@dataclass(slots=True)
class Frame:
    """What became different at one place in the stream."""

    seq: int
    at: int
    """ms UTC since 1970."""
    changes: list[Change]
    """One for each entity that is not as it was in the frame before."""
    pieces: dict[Any, Any] = field(default_factory=dict)
    """Filled by whoever sends it: each change is encoded once in each of its forms."""


class Hub:
    """State of all PBXs in this process. Synchronous: what it does is never seen half done."""

    def __init__(
        self, pbxs: Iterable[tuple[str, str]], site: Site, record: Callable[[list[Record]], None]
    ) -> None:
        """``pbxs``: id and name of each. ``record`` takes what is to be kept, and only queues."""
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self._record = record
        self.shards: dict[str, Shard] = {p: new_shard(p, name, site) for p, name in pbxs}
        self._log: deque[Frame] = deque()
        self._logged = 0
        self._pending: dict[tuple[str, str], tuple[Entity | None, Entity | None]] = {}
        self._listeners: dict[int, Callable[[Frame], None]] = {}
        self._next_listener = 0
        self._others: dict[tuple[str, str], Entity] = {}
        """What no shard knows of."""

    # --- in ------------------------------------------------------------------------------

    def apply(self, pbx: str, event: Event, at: At) -> Sequence[str]:
        """Gives the uniqueids of which Status should be asked. Changes go out at the next
        :meth:`flush`."""
        outcome = reduce(self.shards[pbx], event, at, later=True)
        if outcome.changes or outcome.records:
            self._take(outcome)
        return outcome.asks

    def _take(self, outcome: Outcome) -> None:
        for change in outcome.changes:
            key = (change.kind, change.id)
            first = self._pending.get(key)
            old = first[0] if first is not None else change.old
            self._pending[key] = (old, change.new)
        if outcome.records:
            self._record(outcome.records)

    def alert(self, alert_id: str, now: Alert | None) -> None:
        """Show an alert as it is now, or no longer. No shard knows of them, since what somebody
        may do is no business of the domain; to the stream they are entities like all others."""
        self._show("alert", alert_id, now)

    def notice(self, notice_id: str, now: Notice | None) -> None:
        """As :meth:`alert`, for what an agent is told."""
        self._show("notice", notice_id, now)

    def flag(self, flag_id: str, now: Flag | None) -> None:
        """As :meth:`alert`, for a flag on a call."""
        self._show("flag", flag_id, now)

    def _show(self, kind: str, entity_id: str, now: Entity | None) -> None:
        key = (kind, entity_id)
        shown = self._others.get(key)
        self._pending[key] = (self._pending.get(key, (shown,))[0], now)
        if now is None:
            self._others.pop(key, None)
        else:
            self._others[key] = now

    def flush(self) -> None:
        """Make one frame of all that changed since the last one, and tell everybody."""
        for shard in self.shards.values():
            outcome = settle(shard)
            if outcome.changes or outcome.records:
                self._take(outcome)
        if not self._pending:
            return
        changes = [
            Change(kind, entity_id, old, new)
            for (kind, entity_id), (old, new) in self._pending.items()
            if old != new
        ]
        self._pending.clear()
        if not changes:
            return
        frame = Frame(self.seq + 1, time.time_ns() // 1_000_000, changes)
        self.seq = frame.seq
        self._keep(frame)
        for listener in list(self._listeners.values()):
            listener(frame)

    def _keep(self, frame: Frame) -> None:
        self._log.append(frame)
        self._logged += len(frame.changes)
        while len(self._log) > LOG_MOST or (self._logged > CHANGES_MOST and len(self._log) > 1):
            self._logged -= len(self._log.popleft().changes)

    def know(self, people: tuple[Person, ...]) -> None:
        """The people at the start, before anything is applied; later they come as an event."""
        for shard in self.shards.values():
            shard.site = msgspec.structs.replace(shard.site, people=people)
            shard.directory = Directory(shard.pbx, shard.site)

    # --- out -----------------------------------------------------------------------------

    def listen(self, listener: Callable[[Frame], None]) -> Callable[[], None]:
        """``listener`` must only queue. Gives the function that ends it."""
        self._next_listener += 1
        key = self._next_listener
        self._listeners[key] = listener
        return lambda: self._listeners.pop(key, None) and None

    def picture(self) -> list[Entity]:
        """Everything that is shown now; belongs to the present ``seq`` (after a flush)."""
        self.flush()
        shown = [entity for shard in self.shards.values() for entity in picture(shard)]
        return [*shown, *self._others.values()]

    def since(self, epoch: str | None, seq: int | None) -> list[Frame] | None:
        """The frames after ``seq``, None where that is no longer (or never was) known."""
        self.flush()
        if epoch != self.epoch or seq is None or seq > self.seq:
            return None
        missed = self.seq - seq
        if missed > len(self._log):
            return None
        return list(self._log)[len(self._log) - missed :]

    def is_spyer(self, pbx: str, uniqueid: str) -> bool:
        """Whether this is the channel of a supervision that runs now."""
        return uniqueid in self.shards[pbx].by_spyer

    def live_pbxs(self) -> list[str]:
        return [p for p, shard in self.shards.items() if shard.link is LinkState.LIVE]

    def supervision(self, supervision_id: str) -> tuple[Shard, Supervision] | None:
        """A supervision that runs now."""
        for shard in self.shards.values():
            found = shard.supervisions.get(supervision_id)
            if found is not None and found.ended is None:
                return shard, found
        return None
