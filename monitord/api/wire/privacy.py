"""Retention, holds, and the rights of those whom rows are about."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

HoldKind = Literal["person", "number", "supervision", "call", "all"]

_REASON = Meta(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*\Z")
_NUMBER = Meta(min_length=3, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")


class HoldNew(Struct, frozen=True, forbid_unknown_fields=True):
    kind: HoldKind
    reason: Annotated[str, _REASON]
    value: Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")] = ""
    """Id of a person or of a supervision, a Call ID, or a number; empty for all."""


class HoldLift(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of lifting a hold; who and when, the server knows."""


class HoldRow(Struct, frozen=True):
    """What is neither removed by its age nor erased."""

    id: str
    kind: HoldKind
    value: str
    """A number is masked for those who may not see numbers."""
    name: str
    """Of the person; empty for other kinds."""
    reason: str
    since: int
    by: str
    """Name of who made it."""
    lifted: int | None
    """null: in force."""
    lifted_by: str | None


class NumberAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Of whom all that is held is asked for; in a body, since addresses get into logs."""

    number: Annotated[str, _NUMBER]


class PersonErase(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, _REASON]
    """It stays, so it must not tell whom."""


class NumberErase(Struct, frozen=True, forbid_unknown_fields=True):
    number: Annotated[str, _NUMBER]
    reason: Annotated[str, _REASON]


class ReceiptRow(Struct, frozen=True):
    """Of an erasure, with no word of whom."""

    id: str
    what: Literal["person", "number"]
    pseudonyms: list[str]
    """The names under which the audit log knew them."""
    begun: int
    done: int | None
    """null: the keys may still be there; the daemon's next start ends it."""
    rows: dict[str, int]
    """How many were changed, by table."""


class KeptFor(Struct, frozen=True):
    """Days for which rows are kept after their end; null: for ever."""

    supervisions: int | None
    calls: int | None
    agent_status: int | None
    gaps: int | None
    flags: int | None


class RetentionRun(Struct, frozen=True):
    at: int
    rows: dict[str, int]
    """How many were removed, by table."""
    why: str
    """Why nothing, or not all, was removed; empty where all was."""


class Privacy(Struct, frozen=True):
    kept: KeptFor
    last_run: RetentionRun | None
    """null: it has not run yet."""
    holds: list[HoldRow]
    """Those in force, then those that were lifted; the newest first."""
    receipts: list[ReceiptRow]
    """The latest first."""
