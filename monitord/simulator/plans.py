"""What supervisors do: the feature codes, the plan of one supervision, and the deck it is from."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    code: str  # dialled before the agent's extension (asterisk/extensions-monitord.conf)
    options: str  # besides those that all have


MONITOR = Kind("Monitor", "*221", "")
COACH = Kind("Coach", "*222", "w")
BARGE = Kind("Barge", "*223", "B")
SWITCHABLE = Kind("Monitor", "*224", "d")
TAKEOVER = Kind("Barge", "*225", "BX")
KINDS = (MONITOR, COACH, BARGE)

BY_KEY = {"4": "Monitor", "5": "Coach", "6": "Barge"}  # app_chanspy.c:624-636
BARGE_KICK = "Barge-Kick"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a supervisor goes about it. All times in seconds, counted from the first attachment.

    Without `exits` the spec is the endpoint's prefix, and the spy waits for the agent's next call
    when this one ends (ChanSpy without `E`).
    """

    kind: Kind
    originate: bool
    exits: bool
    length: float  # until the supervisor hangs up, counted from the start
    of: str = "agent"  # whose leg: agent, customer, or anyone's of all agents
    keys: tuple[tuple[float, str], ...] = ()
    takeover: str = ""  # conference (with 0, *225) or bridge (AMI Bridge by another program)
    transfer_after: float = 0.0  # the agent hands the call to a colleague

    @property
    def needs_time(self) -> bool:
        """Whether the call must go on for a while, and come from a queue."""
        return bool(self.takeover or self.transfer_after)


# Dealt in turn and shuffled anew, so that each comes again within minutes.
DECK = (
    *("monitor", "monitor", "coach", "coach", "barge", "barge"),
    *("keypad", "keypad", "take_over", "take_over", "bridge", "next_calls", "next_calls"),
    *("roam", "transfer", "customer_leg", "join"),
)


class Deck:
    """What the supervisors do next."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._cards: list[str] = []

    def deal(self) -> tuple[str, Plan]:
        """`join` means: an agent to whom somebody listens already."""
        if not self._cards:
            self._cards = list(DECK)
            self._rng.shuffle(self._cards)
        card = self._cards.pop()
        return card, self._plan(card)

    def _plan(self, card: str) -> Plan:
        rng = self._rng
        length = min(max(rng.gauss(110, 60), 20), 300)
        by_program = rng.random() < 0.3
        kind = {"monitor": MONITOR, "coach": COACH, "barge": BARGE}.get(card, rng.choice(KINDS))
        if card == "keypad":
            gaps = (rng.uniform(4, 25) for _ in range(rng.randint(2, 4)))
            at, keys = 0.0, []
            for gap in gaps:
                at += gap
                keys.append((at, rng.choice("456")))
            return Plan(SWITCHABLE, False, True, length + at, keys=tuple(keys))
        if card == "take_over":
            after = rng.uniform(6, 18)
            return Plan(TAKEOVER, False, True, 600, takeover="conference", keys=((after, "0"),))
        if card == "bridge":
            after = rng.uniform(6, 18)
            return Plan(BARGE, False, True, 600, takeover="bridge", keys=((after, ""),))
        if card == "next_calls":
            return Plan(kind, False, False, rng.uniform(240, 480))
        if card == "roam":
            stars = tuple((20.0 * n + rng.uniform(0, 10), "*") for n in range(1, 4))
            return Plan(kind, False, False, 85, of="anyone", keys=stars)
        if card == "transfer":
            return Plan(kind, by_program, True, 240, transfer_after=rng.uniform(8, 20))
        if card == "customer_leg":
            return Plan(kind, True, True, 240, of="customer", transfer_after=rng.uniform(8, 20))
        return Plan(kind, by_program, True, length)
