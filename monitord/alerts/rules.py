"""Whether a supervisor may do what they do, and what the site wants done where they may not. Pure.

A feature code is dialled on a telephone, which asks nobody's permission. So it is judged here, by
the same rights that the page has, for every supervision of whatever cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from monitord.domain.views import Supervision
from monitord.domain.words import SpyType
from monitord.people.permissions import OF_TYPE
from monitord.people.roster import NOBODY, Person, Rights

Answer = Literal["alert", "end"]
"""What a site wants: that people are told, or that the supervision is ended as well."""


class Policy(Struct, frozen=True):
    answers: Mapping[SpyType, Answer] = MappingProxyType({})
    """By type; "alert" for those that are missing."""
    drop_customer: bool = False
    """Also end what took a call over, which drops the customer as well."""

    def ends(self, finding: Finding) -> bool:
        """Whether it is to be ended. A type that is not known only where each would be."""
        if not finding.certain:
            return False
        types = OF_TYPE if finding.type is SpyType.UNKNOWN else (finding.type,)
        return all(self.answers.get(t) == "end" for t in types)


class Finding(Struct, frozen=True):
    """What is wrong with a supervision."""

    type: SpyType
    at_least: bool
    certain: bool
    """False: it may be all right, nobody can know."""
    why: str


def open_question(supervision: Supervision) -> bool:
    """Whether type or agent are still to be learned; Asterisk is asked for the type at once."""
    return supervision.type is SpyType.UNKNOWN or supervision.agent is None


def judge(supervision: Supervision, person: Person | None, rights: Rights) -> Finding | None:
    """What is wrong with it; None where nothing is. ``person`` is the supervisor's on the roster,
    ``rights`` what they may at this moment.

    "At least" a type is judged as that type. Of a type that is not known it is certain only that a
    supervisor without any of the four rights on this agent has no right to it.
    """
    agent = supervision.agent.id if supervision.agent is not None else None
    kind = supervision.type

    def found(why: str, *, certain: bool = True) -> Finding:
        return Finding(kind, supervision.at_least, certain, why)

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
    return f"{person.name} may {what}, but not on {supervision.agent.name}."
