"""Audiences of the live stream: what somebody sees of it, whom it is the same for.

A page gets only what its person may see, masked where they may not see it whole. All with the same
audience get the same bytes.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from monitord.domain.views import Agent, Alert, Call, Entity, Notice, Pbx, Supervision, Value
from monitord.people.roster import EVERYBODY, NOBODY, Reach, Rights

MASK = "•••"
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

    def sees(self, entity: Entity) -> bool:
        match entity:
            case Pbx():
                return True
            case Agent():
                return entity.party.id in self.agents
            case Call():
                return (entity.agent.id if entity.agent is not None else None) in self.calls
            case Notice():
                return entity.agent.id in self.notices
            case Supervision() | Alert():
                if isinstance(entity, Alert) and not self.alerts:
                    return False
                agent = entity.agent.id if entity.agent is not None else None
                return concerns(self.supervisions, agent, entity.supervisor.id)

    def view(self, entity: Entity | None) -> Entity | None:
        """The entity as this audience sees it; None where it does not."""
        if entity is None or not self.sees(entity):
            return None
        if isinstance(entity, Call) and not self.numbers and entity.number is not None:
            masked = Value(mask(entity.number.value) or "", entity.number.provenance)
            return msgspec.structs.replace(entity, number=masked)
        if isinstance(entity, Supervision) and self.calls != EVERYBODY:
            agent = entity.agent.id if entity.agent is not None else None
            if agent not in self.calls:
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
    )
