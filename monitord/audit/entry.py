"""What is written of an act, before it is sealed: whose each value is, is said here and nowhere
else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from monitord.audit.keys import digits
from monitord.domain.views import Party
from monitord.store.text import clean


class Actor(Struct, frozen=True):
    """Who did it."""

    id: str
    name: str


class Of(Struct, frozen=True):
    """Values that are somebody's own: of a person, or of a customer known by their number. Sealed
    with a key of theirs, they can be erased."""

    values: Mapping[str, Any]
    person: str | None = None
    number: str | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """One act."""

    action: str
    actor: Actor | None = None
    """None: monitord itself."""
    target: str = ""
    """Id of a thing, such as a supervision; never of a person, who has an ``Of``."""
    plain: Mapping[str, Any] = field(default_factory=dict)
    """Values that are nobody's own."""
    personal: tuple[Of, ...] = ()
    about: int | None = None
    at: int | None = None
    """ms UTC; None: now."""


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put parts of a value together again, which were taken apart by whose they are."""
    for key, value in more.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            merge(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            into[key] = [*old, *value]
        else:
            # A copy, since what is merged into it later is not the giver's.
            into[key] = dict(value) if isinstance(value, Mapping) else value


def of_person(person: str, **values: Any) -> Of:
    return Of(values, person=person)


def of_party(name: str, party: Party | None) -> tuple[Of, ...]:
    """Somebody with the telephone at which they were, under a name such as ``agent``."""
    return () if party is None else (Of({name: party}, person=party.id),)


def parts(entry: Entry) -> Iterable[Of]:
    """All that is to be sealed, one for each owner. What nobody owns is the actor's."""
    merged: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    if entry.actor is not None:
        merged[entry.actor.id, None] = {"actor_id": entry.actor.id, "actor_name": entry.actor.name}
    for of in entry.personal:
        owner = (of.person, None if of.number is None else digits(of.number))
        merge(merged.setdefault(owner, {}), of.values)
    return [Of(clean(values), *owner) for owner, values in merged.items()]
