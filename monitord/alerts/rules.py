"""What is wrong with a supervision, and what the site wants done about it. Pure.

A feature code is dialled on a telephone, which asks nobody's permission. So it is judged here, by
the same rights that the page has, for every supervision of whatever cause; and whether anybody at
all may listen just now, to this person, on this number, while somebody pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from monitord.alerts.listing import NOBODY_LISTED, Listing, digits
from monitord.domain.views import Supervision
from monitord.domain.words import AlertKind, SpyType
from monitord.people.permissions import OF_TYPE
from monitord.people.roster import NOBODY, Person, Rights

Answer = Literal["alert", "end"]
"""What a site wants: that people are told, or that the supervision is ended as well."""


class Policy(Struct, frozen=True):
    answers: Mapping[SpyType, Answer] = MappingProxyType({})
    """Where the right is missing, by type; "alert" for those that are missing."""
    drop_customer: bool = False
    """Also end what took a call over, which drops the customer as well."""
    never_monitor: Answer = "alert"
    payment: Answer = "alert"

    def ends(self, finding: Finding) -> bool:
        """Whether it is to be ended. A type that is not known only where each would be."""
        if not finding.certain:
            return False
        if finding.kind is AlertKind.NEVER_MONITOR:
            return self.never_monitor == "end"
        if finding.kind is AlertKind.PAYMENT:
            return self.payment == "end"
        types = OF_TYPE if finding.type is SpyType.UNKNOWN else (finding.type,)
        return all(self.answers.get(t) == "end" for t in types)


class Finding(Struct, frozen=True):
    """What is wrong with a supervision."""

    kind: AlertKind
    type: SpyType
    at_least: bool
    certain: bool
    """False: it may be all right, nobody can know."""
    why: str


class Heard(Struct, frozen=True):
    """Who is listened to, beside the agent."""

    number: str | None = None
    """The customer's."""
    people: frozenset[str] = frozenset()
    """Ids of all who take part in the call."""


SILENCE = Heard()


def open_question(supervision: Supervision, kind: AlertKind) -> bool:
    """Whether what this kind is judged by is still to be learned; Asterisk is asked for the type
    at once."""
    untold = supervision.type is SpyType.UNKNOWN
    return untold or (kind is AlertKind.NO_RIGHT and supervision.agent is None)


def alert_id(supervision: str, finding: Finding) -> str:
    """One for each supervision, kind and type."""
    kind = "" if finding.kind is AlertKind.NO_RIGHT else f".{finding.kind.slug}"
    return f"{supervision}{kind}.{finding.type.lower()}"


def judge(
    supervision: Supervision,
    person: Person | None,
    rights: Rights,
    heard: Heard = SILENCE,
    listing: Listing = NOBODY_LISTED,
) -> list[Finding]:
    """All that is wrong with it. ``person`` is the supervisor's on the roster, ``rights`` what they
    may at this moment."""
    found = (
        no_right(supervision, person, rights),
        never_monitor(supervision, heard, listing),
        payment(supervision),
    )
    return [finding for finding in found if finding is not None]


# --- nobody may ----------------------------------------------------------------------------


def never_monitor(supervision: Supervision, heard: Heard, listing: Listing) -> Finding | None:
    """Of somebody, or on a number, that is on the list. The number itself is not told: not
    everybody who is told of the alert may see it."""
    agent = supervision.agent
    whys: list[str] = []
    if agent is not None and agent.id in listing.people:
        whys.append(f"Nobody may listen to this agent: {listing.people[agent.id]}")
    others = heard.people - {agent.id if agent is not None else None}
    whys += [
        f"Nobody may listen to somebody on this call: {listing.people[one]}"
        for one in sorted(others & listing.people.keys())
    ]
    reason = listing.numbers.get(digits(heard.number)) if heard.number else None
    if reason is not None:
        whys.append(f"Nobody may listen to this customer: {reason}")
    if not whys:
        return None
    return _finding(AlertKind.NEVER_MONITOR, supervision, " ".join(_sentence(w) for w in whys))


def payment(supervision: Supervision) -> Finding | None:
    if not supervision.payment:
        return None
    return _finding(AlertKind.PAYMENT, supervision, "A payment was in progress on the call.")


def _finding(kind: AlertKind, supervision: Supervision, why: str) -> Finding:
    """Whatever the type is, so nothing about it is in doubt."""
    return Finding(kind, supervision.type, supervision.at_least, True, why)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


# --- this one may not ------------------------------------------------------------------------


def no_right(supervision: Supervision, person: Person | None, rights: Rights) -> Finding | None:
    """None where the right is there.

    "At least" a type is judged as that type. Of a type that is not known it is certain only that a
    supervisor without any of the four rights on this agent has no right to it.
    """
    agent = supervision.agent.id if supervision.agent is not None else None
    kind = supervision.type

    def found(why: str, *, certain: bool = True) -> Finding:
        return Finding(AlertKind.NO_RIGHT, kind, supervision.at_least, certain, why)

    if kind is SpyType.UNKNOWN:
        held = [p for p in OF_TYPE.values() if agent in rights.on(p)]
        if len(held) == len(OF_TYPE):
            return None
        if held:
            return found(
                "Asterisk does not tell the type. The supervisor may use some types on this agent "
                "and not others.",
                certain=False,
            )
        anywhere = NOBODY
        for permission in OF_TYPE.values():
            anywhere |= rights.on(permission)
        return found(_why(supervision, person, bool(anywhere), "supervise"))
    reach = rights.on(OF_TYPE[kind])
    return None if agent in reach else found(_why(supervision, person, bool(reach), f"use {kind}"))


def _why(supervision: Supervision, person: Person | None, elsewhere: bool, what: str) -> str:
    if person is None:
        return f"Nobody on the roster has the telephone {supervision.supervisor.endpoint}."
    if not person.active:
        return f"{person.name} has left."
    if not elsewhere:
        return f"{person.name} has no right to {what}."
    if supervision.agent is None:
        return f"{person.name} may {what} on some agents, and nobody knows who this one is."
    # Not by name: the text is the supervisor's, and stays when the agent is erased.
    return f"{person.name} may {what}, but not on this agent."
