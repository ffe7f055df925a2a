"""The people: names, endpoints, and what an agent is doing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from monitord.simulator.queues import Queues
from monitord.simulator.truth import Truth

AGENT_NAMES = (
    "Amelia Hart",
    "Ben Okafor",
    "Chloe Dupont",
    "Daniel Reyes",
    "Ewa Nowak",
    "Farid Haddad",
    "Grace Mbeki",
    "Hannes Müller",
    "Isla Murray",
    "Jonas Lindqvist",
    "Kavya Raman",
    "Liam O'Connor",
    "Mei Tanaka",
    "Noah Fischer",
    "Oona Virtanen",
    "Pavel Novák",
    "Quinn Taylor",
    "Rosa Jiménez",
    "Samir Aziz",
    "Tess van Dijk",
)
SUPERVISOR_NAMES = ("Marta Silva", "Nigel Frost", "Olga Petrova", "Priya Nair")

_FIRST = ("Ada", "Boris", "Carmen", "Deniz", "Elena", "Felix", "Gina", "Hugo", "Ines", "Jakub")
_LAST = ("Adler", "Bianchi", "Costa", "Dimitrov", "Eriksen", "Fischer", "Garcia", "Hughes", "Ito")

FIRST_BLOCK = 900
"""Agents with the extensions from 1001 on. Further ones begin at 3001, as 2001 and on are
supervisors, and with five digits PJSIP/1001 would be a prefix of PJSIP/10011."""

GONE = ("paused", "away")
PAUSE_REASONS = (("Break", 240.0), ("Lunch", 900.0), ("Training", 600.0))  # mean seconds


def names(known: tuple[str, ...], count: int, rng: random.Random) -> list[str]:
    """The known ones first; more are made up, each with a number so that none comes twice."""
    more = count - len(known)
    made_up = [f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {n + 2}" for n in range(max(more, 0))]
    return [*known[:count], *made_up]


def extension(index: int) -> str:
    """Of the agent with that place on the list."""
    return str(1001 + index if index < FIRST_BLOCK else 3001 + index - FIRST_BLOCK)


@dataclass(eq=False, slots=True)
class Person:
    name: str
    endpoint: str  # 1001
    device: str = field(init=False)  # PJSIP/1001

    def __post_init__(self) -> None:
        self.device = f"PJSIP/{self.endpoint}"


@dataclass(eq=False, slots=True)
class Agent(Person):
    queues: tuple[str, ...] = ()
    status: str = "available"  # ringing, dialing, talking, hold, wrapup, paused, away
    reason: str = ""
    idle_since: float = 0.0

    @property
    def free(self) -> bool:
        return self.status == "available"


@dataclass(eq=False, slots=True)
class Supervisor(Person):
    busy: bool = False


class Floor:
    """Everybody in the room, and the truth about what each agent does."""

    def __init__(
        self, agents: list[Agent], supervisors: list[Supervisor], queues: Queues, truth: Truth
    ) -> None:
        self.agents = agents
        self.supervisors = supervisors
        # Who is free, longest idle first: whoever becomes free is put at the end.
        self._free = {agent: None for agent in agents if agent.free}
        self.gone = 0  # who is paused or logged out
        self._queues = queues
        self._truth = truth

    def set_status(self, agent: Agent, status: str, now: float, reason: str = "") -> None:
        if (agent.status, agent.reason) == (status, reason):
            return
        self.gone += (status in GONE) - (agent.status in GONE)
        agent.status, agent.reason = status, reason
        self._free.pop(agent, None)
        if status == "available":
            agent.idle_since = now
            self._free[agent] = None
        facts = {"reason": reason} if reason else {}
        self._truth.write(
            "agent_status", agent=agent.device, name=agent.name, status=status, **facts
        )

    @property
    def roster(self) -> list[dict[str, object]]:
        """Everybody: the PBX tells names of no supervisors, and of agents while they are logged
        in."""
        people: list[tuple[Person, bool]] = [(person, False) for person in self.supervisors]
        people += [(person, True) for person in self.agents]
        return [{"endpoint": p.device, "name": p.name, "agent": agent} for p, agent in people]

    def pause(self, agent: Agent, reason: str, now: float) -> None:
        self._queues.pause(agent.device, reason)
        self.set_status(agent, "paused", now, reason)

    def unpause(self, agent: Agent, now: float) -> None:
        self._queues.unpause(agent.device)
        self.set_status(agent, "available", now)

    def log_in(self, agent: Agent, now: float) -> None:
        for queue in agent.queues:
            self._queues.add(queue, agent.device, agent.name)
        self.set_status(agent, "available", now)

    def log_out(self, agent: Agent, now: float) -> None:
        for member in self._queues.memberships(agent.device):
            self._queues.remove(member.queue.name, agent.device)
        self.set_status(agent, "away", now)

    def free(self, queue: str | None = None) -> list[Agent]:
        """Longest idle first; of one queue only, if it is named."""
        if queue is None:
            return list(self._free)
        members = self._queues.queues[queue].members
        return [agent for agent in self._free if agent.device in members]
