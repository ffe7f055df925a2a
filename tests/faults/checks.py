"""What must hold after every event (the invariants of the glossary's state, its rows and types)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitord.domain import events as ev
from monitord.domain import spy
from monitord.domain.events import Event
from monitord.domain.ledger import Record, SegmentRecord, StatusRecord, key_of
from monitord.domain.reducer import Change, picture
from monitord.domain.state import GONE_KEPT, Segment, Shard, Supervision
from monitord.domain.views import Entity
from monitord.domain.words import Provenance, SpyType
from tests.kit.invariants import check_row, check_shard

_KEYS = {"4": SpyType.MONITOR, "5": SpyType.COACH, "6": SpyType.BARGE}

Rows = dict[Any, Any]


class Watch:
    """Looks on from outside: what is shown, what is written, and what was ever told of a type."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.rows: Rows = {}
        self.shown: dict[tuple[str, str], Entity] = {}
        self._told: dict[str, list[spy.Spec]] = {}
        """What the PBX ever said that a channel's spy runs with (I10)."""
        self._keys: dict[str, set[SpyType]] = {}
        self._boot = ""

    # --- rows (I1, I2) ---------------------------------------------------------------------

    def take(self, records: Iterable[Record]) -> None:
        for record in records:
            key = key_of(record)
            old = self.rows.get(key)
            check_row(old, record)
            if isinstance(record, SegmentRecord) and old is not None and old.ended is not None:
                same = (record.ended, record.type) == (old.ended, old.type)
                assert same, f"a closed segment became another: {old} {record}"
            length = getattr(record, "length_ms", None)
            assert length is None or length >= 0, f"a length below 0: {record}"
            self.rows[key] = record

    def open_statuses(self) -> None:
        """An agent is in one status at a time."""
        agents = [
            r.agent_endpoint
            for r in self.rows.values()
            if isinstance(r, StatusRecord) and r.ended is None
        ]
        assert len(agents) == len(set(agents)), "two open intervals of one agent"

    # --- what is shown (I6) ----------------------------------------------------------------

    def frame(self, changes: Iterable[Change]) -> None:
        for change in changes:
            key = (change.kind, change.id)
            assert self.shown.get(key) == change.old, f"{key} was not what a frame says it was"
            if change.new is None:
                del self.shown[key]
            else:
                self.shown[key] = change.new

    def level(self) -> None:
        """All frames are out: together they are the picture."""
        now = {(type(e).__struct_config__.tag, e.id): e for e in picture(self.shard)}
        assert self.shown == now, "the frames do not add up to the picture"

    # --- state (I1, I9, I10) -----------------------------------------------------------------

    def event(self, event: Event) -> None:
        """What an event tells of types, before it is applied."""
        if isinstance(event, ev.BootSeen) and event.boot != self._boot:
            self._boot = event.boot
            self._told.clear()
            self._keys.clear()
        elif isinstance(event, ev.AppStarted | ev.ChannelTold):
            spec = spy.parse(event.application, event.data)
            if spec is not None:
                self._told.setdefault(event.channel.uniqueid, []).append(spec)
        elif isinstance(event, ev.KeyPressed) and event.digit in _KEYS:
            self._keys.setdefault(event.uniqueid, set()).add(_KEYS[event.digit])

    def state(self) -> None:
        shard = self.shard
        check_shard(shard)
        self._bounds(shard)
        for supervision in shard.supervisions.values():
            for segment in supervision.segments[-2:]:
                self._sure(supervision, segment)

    @staticmethod
    def _bounds(shard: Shard) -> None:
        """I9: what is kept belongs to something that lives, or is counted."""
        assert len(shard.gone) <= GONE_KEPT and len(shard.linkedids) <= GONE_KEPT
        assert shard.spies_of.keys() <= shard.channels.keys(), "a count of a spyer that is gone"
        assert shard.by_spyer.keys() <= shard.channels.keys(), "a supervision without its channel"
        assert set(shard.by_linkedid.values()) <= shard.calls.keys(), "a name of no call"
        assert shard.leaving.keys() <= shard.supervisions.keys()
        assert all(shard.agents[e].wrap_until is not None for e in shard.wrapping)
        waited_for = {a.wrap_call for a in shard.agents.values()}
        assert shard.ended_calls.keys() <= waited_for, "a row kept for nobody"
        assert not (shard.dirty_calls or shard.dirty_supervisions)
        assert shard.left.keys() <= shard.calls.keys()  # what may wait for the next frame
        assert not (shard.records or shard.asks)
        for call in shard.calls.values():
            assert call.watchers.keys() <= shard.supervisions.keys(), "watched by nobody"

    def _sure(self, supervision: Supervision, segment: Segment) -> None:
        """I10: no type is surer than what was told of it."""
        kind = segment.type
        if kind is SpyType.UNKNOWN:
            assert segment.type_provenance is Provenance.UNVERIFIED and not segment.at_least
            return
        if segment.in_bridge:
            assert segment.type_provenance is Provenance.DERIVED, "nobody tells of a bridge"
            return
        assert kind is not SpyType.BARGE_KICK, "only a bridge is that"
        told = self._told.get(supervision.spyer, [])
        pressed = self._keys.get(supervision.spyer, set())
        ways = [s for s in told if s.type is kind or (s.switchable and kind in pressed)]
        assert ways, f"{kind} was never told of {supervision.spyer}"
        if not segment.at_least and all(s.switchable for s in ways):
            surely = self.shard.keypad and (segment.started_exact or kind in pressed)
            assert surely, f"{kind} may have been switched unseen"
