"""What a client of the stream holds: one map per kind, changed by deltas."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from msgspec import Struct, field

from monitord.domain.views import Agent, Alert, Call, Entity, Pbx, Supervision

_KINDS: dict[str, type[Entity]] = {
    "pbx": Pbx,
    "agent": Agent,
    "call": Call,
    "supervision": Supervision,
    "alert": Alert,
}


class Patch(Struct, frozen=True):
    kind: str
    id: str
    set: dict[str, Any]


class Ref(Struct, frozen=True):
    kind: str
    id: str


class Delta(Struct, frozen=True, tag_field="type", tag="delta"):
    """As :class:`monitord.api.wire.Delta`, but open to kinds of a newer daemon, which are none of
    our business."""

    epoch: str
    seq: int
    at: int
    after: int = 0
    reset: bool = False
    add: list[dict[str, Any]] = field(default_factory=list)
    change: list[Patch] = field(default_factory=list)
    remove: list[Ref] = field(default_factory=list)


class Picture:
    def __init__(self) -> None:
        self.place: tuple[str, int] | None = None
        """Epoch and seq of the last delta; None before the first."""
        self._of: dict[str, dict[str, Entity]] = {kind: {} for kind in _KINDS}

    @property
    def pbxs(self) -> dict[str, Pbx]:
        return cast(dict[str, Pbx], self._of["pbx"])

    @property
    def supervisions(self) -> dict[str, Supervision]:
        return cast(dict[str, Supervision], self._of["supervision"])

    def call(self, call_id: str | None) -> Call | None:
        return cast(Call | None, self._of["call"].get(call_id or ""))

    def agent(self, person: str, pbx: str) -> Agent | None:
        """The status of a person; that on ``pbx`` goes before one elsewhere."""
        found = [a for a in self._agents.values() if a.party.id == person]
        return next((a for a in found if a.pbx == pbx), found[0] if found else None)

    @property
    def _agents(self) -> dict[str, Agent]:
        return cast(dict[str, Agent], self._of["agent"])

    def apply(self, delta: Delta) -> Literal["applied", "repeated", "gap"]:
        """``repeated``: it was seen before, nothing was done. ``gap``: something before it is
        missing, so nothing was done either, and only a start over helps.

        Raises:
            msgspec.ValidationError: an entity is none that we know.
        """
        if delta.reset:
            for entities in self._of.values():
                entities.clear()
        else:
            if self.place is None or self.place[0] != delta.epoch:
                return "gap"
            if delta.seq <= self.place[1]:
                return "repeated"
            # Frames of which one may see nothing are not sent, so seq does not grow by one.
            if delta.after > self.place[1]:
                return "gap"
        for raw in delta.add:
            kind = _KINDS.get(raw.get("kind", ""))
            if kind is not None:
                entity = msgspec.convert(raw, kind)
                self._of[raw["kind"]][entity.id] = entity
        for patch in delta.change:
            old = self._of.get(patch.kind, {}).get(patch.id)
            if old is not None:
                merged = {**msgspec.to_builtins(old), **patch.set}
                self._of[patch.kind][patch.id] = msgspec.convert(merged, type(old))
        for ref in delta.remove:
            self._of.get(ref.kind, {}).pop(ref.id, None)
        self.place = (delta.epoch, delta.seq)
        return "applied"
