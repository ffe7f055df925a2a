"""The list of those to whom nobody may listen."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class PersonNamed(Struct, frozen=True):
    id: str
    name: str
    """As they are called now."""


class NeverMonitorEntry(Struct, frozen=True):
    """Somebody to whom nobody may listen; either the person or the number is null."""

    id: str
    person: PersonNamed | None
    number: str | None
    """A customer's, its digits only; masked for those who may not see numbers."""
    reason: str
    by: str
    """Name of who put it there."""
    at: int


class NeverMonitorList(Struct, frozen=True):
    rows: list[NeverMonitorEntry]


class NeverMonitorNew(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of person and number."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
    person: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Id of somebody on the roster."""
    number: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    """However it is written: only its digits count."""
