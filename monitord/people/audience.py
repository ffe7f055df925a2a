"""Audiences of the live stream: what somebody sees of it, whom it is the same for.

A page gets only what its person may see, masked where they may not see it whole. All with the same
audience get the same bytes.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from monitord.domain.views import Agent, Alert, Call, Entity, Flag, Notice, Pbx, Supervision, Value
from monitord.people.roster import NOBODY, Reach, Rights

MASK = "•••"
UNSEEN, WHOLE, IN_PART = range(3)
"""How an entity is seen; in part is a call with its number masked, a supervision without its
call."""

SHOWN = 2
"""Last digits of a masked number, by which people recognise one that they know already."""


def mask(number: str | None) -> str | None:
    """A phone number as those see it who may not see it whole. Its length is not told."""
    if not number:
        return number
    return MASK + number[-SHOWN:] if len(number) > 2 * SHOWN else MASK


def concerns(reach: Reach, agent: str | None, supervisor: str) -> bool:
    """Whether a supervision is of somebody in reach: who looks after an agent has to do with those
    who listen to them, who looks after a supervisor with those to whom they listen."""
    return agent in reach or supervisor in reach


class Audience(Struct, frozen=True):
    """What is seen, without a word of who sees it."""

    agents: Reach
    calls: Reach
    supervisions: Reach
    numbers: bool
    alerts: bool = False
    notices: Reach = NOBODY
    """The agents whose notices they are: oneself, or nobody."""
    flags: Reach = NOBODY
    own_flags: Reach = NOBODY
    """Of which only those that agents see: oneself, or nobody."""

    def sees(self, entity: Entity) -> bool:
        if isinstance(entity, Call):
            return (entity.agent.id if entity.agent is not None else None) in self.calls
        if isinstance(entity, Agent):
            return entity.party.id in self.agents
        if isinstance(entity, Pbx):
            return True
        if isinstance(entity, Notice):
            return entity.agent.id in self.notices
        if isinstance(entity, Flag):
            theirs = entity.agent.id in self.own_flags
            return entity.agent.id in self.flags or (entity.visible and theirs)
        if isinstance(entity, Alert) and not self.alerts:
            return False
        agent = entity.agent.id if entity.agent is not None else None
        return concerns(self.supervisions, agent, entity.supervisor.id)

    @property
    def people(self) -> frozenset[str] | None:
        """All of whom it sees anything; None where one kind of thing is seen of everybody."""
        reaches = (
            *(self.agents, self.calls, self.supervisions, self.notices),
            *(self.flags, self.own_flags),
        )
        everyone: frozenset[str] = frozenset()
        for reach in reaches:
            if reach.people is None:
                return None
            everyone |= reach.people
        return everyone

    def sight(self, entity: Entity | None) -> int:
        """How it is seen: audiences with the same number have the same :meth:`view` of it."""
        if entity is None or not self.sees(entity):
            return UNSEEN
        if isinstance(entity, Call):
            return WHOLE if self.numbers or entity.number is None else IN_PART
        if isinstance(entity, Supervision) and self.calls.people is not None:
            agent = entity.agent.id if entity.agent is not None else None
            return WHOLE if agent in self.calls.people else IN_PART
        return WHOLE

    def view(self, entity: Entity | None) -> Entity | None:
        """The entity as this audience sees it; None where it does not."""
        sight = self.sight(entity)
        if sight == UNSEEN:
            return None
        if sight == IN_PART and isinstance(entity, Call) and entity.number is not None:
            masked = Value(mask(entity.number.value) or "", entity.number.provenance)
            return msgspec.structs.replace(entity, number=masked)
        if sight == IN_PART and isinstance(entity, Supervision):
            return msgspec.structs.replace(entity, call=None)
        return entity


def audience_of(rights: Rights) -> Audience:
    return Audience(
        agents=rights.on("agent.see"),
        calls=rights.on("call.see"),
        supervisions=rights.on("supervision.see"),
        numbers=rights.may("number.see"),
        alerts=rights.may("alert.see"),
        notices=rights.on("notice.see"),
        flags=rights.on("flag.see"),
        own_flags=rights.on("flag.answer"),
    )
