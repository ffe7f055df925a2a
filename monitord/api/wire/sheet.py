"""The roster as a file: what it would change, why it cannot be taken, what was done."""

from __future__ import annotations

from msgspec import Struct

from monitord.people.words import What


class SheetFault(Struct, frozen=True):
    """Why a file cannot be taken."""

    line: int | None
    """From 1; null where it is the file as a whole."""
    column: str | None
    rule: str


class SheetCell(Struct, frozen=True):
    column: str
    old: str
    new: str


class SheetStep(Struct, frozen=True):
    """What one line would do."""

    line: int
    id: str
    name: str
    what: What
    changes: list[SheetCell]
    taken: list[str]
    """Endpoints that were somebody else's, with their name."""


class SheetPreview(Struct, frozen=True):
    """What a file would do; nothing is done."""

    token: str | None
    """With which exactly this is carried out; null where there are faults."""
    new: int
    changed: int
    same: int
    teams: list[str]
    """Teams that would be made."""
    steps: list[SheetStep]
    """Those that do something."""
    faults: list[SheetFault]
    more_faults: bool
    """True: there are more than these."""


class SheetDone(Struct, frozen=True):
    version: str
    new: int
    changed: int
    attributed: int
