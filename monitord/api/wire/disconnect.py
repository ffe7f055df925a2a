"""Disconnect User."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from monitord.api.wire.told import ReasonText


class Disconnect(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a Disconnect User."""

    drops_customer: bool = False
    """The person was told that after a Barge-Kick the customer is on the supervisor's leg and goes
    with it. Without it such a disconnect is refused."""
    reason: ReasonText | None = None
    """Why. Where the site requires one, a disconnect without it is refused."""


class DisconnectOutcome(Struct, frozen=True):
    """What became of a Disconnect User."""

    outcome: Literal["confirmed", "refused", "not_confirmed"]
    why: str
    """In plain words; empty where a disconnect was confirmed and there is nothing to add."""
