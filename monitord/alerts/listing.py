"""Whom nobody may listen to: people and customers' numbers, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

DIGITS_LEAST, DIGITS_MOST = 3, 20


def digits(number: str | None) -> str:
    """What numbers are compared by: ``+49 30-5551`` and ``49305551`` are the same one."""
    return "".join(c for c in number or "" if c.isascii() and c.isdigit())


class Entry(Struct, frozen=True, kw_only=True):
    id: str
    person: str | None = None
    """Id of somebody on the roster; either this one or the number."""
    number: str | None = None
    """Its digits."""
    reason: str
    by_id: str
    by_name: str
    at: int
    """When it was put there, ms UTC."""


class Listing(Struct, frozen=True):
    """The list as it is looked into: reason by person and by digits."""

    people: Mapping[str, str] = MappingProxyType({})
    numbers: Mapping[str, str] = MappingProxyType({})


NOBODY_LISTED = Listing()


def listing_of(entries: Iterable[Entry]) -> Listing:
    people: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for entry in entries:
        if entry.person is not None:
            people[entry.person] = entry.reason
        if entry.number is not None:
            numbers[entry.number] = entry.reason
    return Listing(people, numbers)
