"""What one seed decides: how the day is, and what goes wrong in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace

MISHAPS = (
    *("cut", "crash", "tear", "tear", "black", "unbooted", "stall"),
    *("clock", "drift"),
)
"""``cut``: the connection goes, and nobody can connect for some seconds. ``crash``: the PBX begins
again. ``tear``: the connection ends behind any byte. ``black``: it swallows all bytes.
``unbooted``: it goes, and who logs in again waits for FullyBooted. ``stall``: the daemon's loop is
blocked. ``clock`` and ``drift``: its wall clock is set, by an hour or by less than a second."""


@dataclass(frozen=True)
class Plan:
    """Times in seconds, chances from 0 to 1."""

    seed: int
    version: int = 22
    agents: int = 4
    supervisors: int = 3
    length: float = 120.0
    """How long the chaos goes on."""
    lossless: bool = True
    """Nothing is lost on a connection, and each event is applied at the time that it names, so that
    the ledger must be the truth."""
    booting: bool = False
    """The PBX is not FullyBooted yet when the daemon first logs in."""
    piece: int = 0
    """Bytes that come together at most; 0: all that there are."""
    order: str = "kept"
    """``kept``, only ``families`` overtake one another, or whatever names other ``channels``."""
    reorder: float = 0.0
    """How far messages may be apart that change places; 0: those of one moment."""
    delay: float = 0.0
    doubles: float = 0.0
    drops: float = 0.0
    garbles: float = 0.0
    payments: float = 0.0
    """Share of the calls in which somebody pays."""
    outages: tuple[tuple[float, str, float], ...] = ()
    """When, what, and how much of it (a share from 0 to 1)."""
    again: bool = False
    """Each event is applied twice (I4)."""
    one_by_one: bool = False
    """A frame is made after each event, and not after each batch."""


def plan_of(seed: int) -> Plan:
    """The same one each time."""
    chance = random.Random(seed)
    lossless = chance.random() < 0.5
    length = chance.uniform(60, 180)
    mishaps = [
        (round(chance.uniform(5, length), 3), chance.choice(MISHAPS), round(chance.random(), 3))
        for _ in range(chance.choice((0, 1, 1, 2, 3)))
    ]
    plan = Plan(
        seed=seed,
        version=chance.choice((16, 22)),
        agents=chance.randint(2, 6),
        supervisors=chance.randint(1, 4),
        length=round(length, 3),
        lossless=lossless,
        booting=chance.random() < 0.15,
        piece=chance.choice((0, 0, 3, *(40, 400, 3000) * 3)),
        order=chance.choice(("kept", "families") if lossless else ("kept", "families", "channels")),
        doubles=chance.choice((0.0, 0.05, 0.5)),
        payments=chance.choice((0.0, 0.3)),
        again=chance.random() < 0.3,
        one_by_one=chance.random() < 0.5,
        outages=tuple(sorted(mishaps)),
    )
    if lossless:
        return plan
    return replace(
        plan,
        reorder=chance.choice((0.0, 0.005, 0.05)),
        delay=chance.choice((0.0, 0.01, 0.3)),
        drops=chance.choice((0.0, 0.003, 0.02, 0.1)),
        garbles=chance.choice((0.0, 0.003, 0.02, 0.1)),
    )


def simpler(plan: Plan) -> list[Plan]:
    """The same one with one thing less, for each that it has."""
    plain = Plan(plan.seed)
    kept = ("seed", "version", "agents", "supervisors", "length", "outages", "lossless")
    found = [
        replace(plan, outages=plan.outages[:n] + plan.outages[n + 1 :])
        for n in range(len(plan.outages))
    ]
    for one in fields(Plan):
        usual = getattr(plain, one.name)
        if one.name not in kept and getattr(plan, one.name) != usual:
            found.append(replace(plan, **{one.name: usual}))
    if plan.length > 40:
        found.append(replace(plan, length=round(plan.length * 0.7, 3)))
    return found
