"""From one frame of the hub to the bytes of each audience.

What a change looks like depends only on whether somebody sees it, and whether masked; each of
these few forms is encoded once, whoever gets it. An audience's delta is put together of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import cast

from msgspec import Raw, Struct

from monitord.api import wire
from monitord.domain.reducer import Change, differences
from monitord.domain.views import Agent, Alert, Call, Entity, Flag, Notice, Pbx, Supervision
from monitord.live.hub import Frame, Hub
from monitord.people.audience import Audience

ADD, CHANGE, REMOVE = range(3)
Piece = tuple[int, Raw] | None
"""Where it belongs in a delta, and its JSON; None where nothing is to be told."""


class _Delta(Struct, frozen=True, tag_field="type", tag="delta", omit_defaults=True):
    """As :class:`wire.Delta`, of pieces that are encoded already."""

    epoch: str
    seq: int
    at: int
    after: int = 0
    reset: bool = False
    add: list[Raw] = []
    change: list[Raw] = []
    remove: list[Raw] = []


def encode_frame(
    frame: Frame, epoch: str, audience: Audience, after: int, places: Iterable[int] | None = None
) -> bytes | None:
    """The delta for an audience; None where it sees nothing of the frame.

    ``after``: the place of the last frame before it of which it saw something. ``places``: of the
    changes that can concern it, where the caller knows; else all are looked at.

    What comes into sight by a change (a call gets an agent of the own team) is added, what goes out
    of it is removed. A page cannot tell that from a beginning and an end.
    """
    parts: tuple[list[Raw], list[Raw], list[Raw]] = ([], [], [])
    changes, pieces = frame.changes, frame.pieces
    for place in range(len(changes)) if places is None else places:
        change = changes[place]
        key = (place, audience.sight(change.old), audience.sight(change.new))
        if key not in pieces:
            pieces[key] = _piece(change, audience)
        piece = cast(Piece, pieces[key])
        if piece is not None:
            parts[piece[0]].append(piece[1])
    add, change_, remove = parts
    if not add and not change_ and not remove:
        return None
    return wire.encode(_Delta(epoch, frame.seq, frame.at, after, False, add, change_, remove))


def _piece(change: Change, audience: Audience) -> Piece:
    old, new = audience.view(change.old), audience.view(change.new)
    kind = cast(wire.Kind, change.kind)
    if new is None:
        return None if old is None else (REMOVE, Raw(wire.encode(wire.Ref(kind, change.id))))
    if old is None:
        return ADD, Raw(wire.encode(new))
    if old == new:
        return None
    patch = wire.Patch(kind, change.id, differences(old, new))
    return CHANGE, Raw(wire.encode(patch))


def snapshot(hub: Hub, epoch: str, audience: Audience) -> bytes:
    """Everything that the audience sees, as a delta from nothing."""
    seen = [view for entity in hub.picture() if (view := audience.view(entity)) is not None]
    at = time.time_ns() // 1_000_000
    return wire.encode(wire.Delta(epoch=epoch, seq=hub.seq, at=at, reset=True, add=seen))


def people_of(entity: Entity | None) -> tuple[str | None, ...] | None:
    """Ids of those by whom it is seen, if anybody; None where it is everybody's."""
    match entity:
        case None:
            return ()
        case Pbx():
            return None
        case Agent():
            return (entity.party.id,)
        case Call():
            return (entity.agent.id if entity.agent is not None else None,)
        case Notice() | Flag():
            return (entity.agent.id,)
        case Supervision() | Alert():
            agent = entity.agent.id if entity.agent is not None else None
            return (agent, entity.supervisor.id)
