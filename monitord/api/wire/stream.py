"""The stream: what the server sends and what a client may.

Snapshot and delta are one: a ``delta`` frame adds, changes and removes entities; the first one is
a delta from nothing and carries ``reset``.  A client keeps one map per kind and has a single code
path.  The entities are the live picture of ``monitord.domain.views``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from monitord.domain.views import Entity

PROTOCOL = 1
"""Raised when a client that knows only the old number would go wrong."""

Kind = Literal["pbx", "agent", "call", "supervision", "alert", "notice", "flag"]


class Patch(Struct, frozen=True):
    """New values of some fields of one entity."""

    kind: Kind
    id: str
    set: dict[str, Any]


class Ref(Struct, frozen=True):
    kind: Kind
    id: str


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """First frame of a connection."""

    protocol: int
    version: str
    """Of monitord."""
    heartbeat_ms: int
    """The server sends a frame at least this often; twice as long without one is a lost link."""


class Delta(Struct, frozen=True, tag_field="type", tag="delta", omit_defaults=True):
    """What became different at one place in the stream."""

    epoch: str
    """Another one for another run of the server, and for other rights."""
    seq: int
    """Grows, but not by one: a frame of which this client may see nothing is not sent to it."""
    at: int
    """Server time when the change was made."""
    after: int = 0
    """``seq`` of the frame before it, or an earlier one: a client that has not come so far has
    missed something. Means nothing where ``reset`` is set."""
    reset: bool = False
    """True: forget everything first."""
    add: list[Entity] = []
    change: list[Patch] = []
    remove: list[Ref] = []


class Lag(Struct, frozen=True):
    """Measured delay between one PBX and the daemon, null while unknown."""

    pbx: str
    ms: int | None


class Pong(Struct, frozen=True, tag_field="type", tag="pong"):
    """Answer to a ``ping``, or unasked as the heartbeat (``n`` is then null)."""

    n: int | None
    at: int
    """Server time, from which the client measures its clock's offset."""
    lags: list[Lag]


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    """Last frame before the server closes: why, in plain words."""

    code: Literal["signed_out", "too_slow", "shutdown", "bad_message"]
    why: str


ServerFrame = Hello | Delta | Pong | Bye


class Subscribe(Struct, frozen=True, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    """Must be the first message. With the last seen place, what was missed is sent instead of
    everything, if it is still known; a delta with ``reset`` says that it was not."""

    epoch: Annotated[str, Meta(max_length=64)] | None = None
    seq: Annotated[int, Meta(ge=0)] | None = None


class Ping(Struct, frozen=True, tag_field="type", tag="ping", forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=0, le=2**53 - 1)]


ClientMessage = Subscribe | Ping
