"""Recordings of a call."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Hindrance = Literal["not allowed", "runs", "not set", "no name", "elsewhere", "kind", "no file"]
"""Why a recording cannot be played: whoever asks may not, it still runs, the site names no folder,
no file was told, the file told is in no folder of the site's, browsers do not play that kind, or it
is not there."""


class Recording(Struct, frozen=True):
    n: int
    """1 for the call's first."""
    started: int
    ended: int | None
    """Null while it runs, and where its end was not seen: then no later than the call's."""
    hindrance: Hindrance | None
    """Null: it can be played."""


class Play(Struct, frozen=True):
    """Somebody begins to listen to a recording."""

    address: str
    """From which the sound is fetched, by this session alone and for an hour."""
