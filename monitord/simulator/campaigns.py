"""What the calls are about: campaigns with their lists, result codes and numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from monitord.simulator.pbx import Party


@dataclass(frozen=True, slots=True)
class Campaign:
    name: str
    lists: tuple[str, ...]
    results: tuple[str, ...]
    directions: tuple[str, ...]
    inbound: str  # the number customers dial
    queue: str


CAMPAIGNS = (
    Campaign(
        "Spring Renewal",
        ("SR-North", "SR-South"),
        ("SALE", "CALLBACK", "NOT_INTERESTED"),
        ("outbound",),
        "441134960101",
        "sales",
    ),
    Campaign(
        "Broadband Upgrade",
        ("BU-2026-10", "BU-2026-11"),
        ("UPGRADED", "CALLBACK", "NO_DECISION", "NOT_INTERESTED"),
        ("inbound", "outbound"),
        "441134960102",
        "sales",
    ),
    Campaign(
        "Customer Care",
        ("CC-Gold", "CC-Standard"),
        ("RESOLVED", "ESCALATED", "CALLBACK"),
        ("inbound",),
        "441134960103",
        "support",
    ),
)

INBOUND = tuple(c for c in CAMPAIGNS if "inbound" in c.directions)
OUTBOUND = tuple(c for c in CAMPAIGNS if "outbound" in c.directions)
QUEUES = ("sales", "support")
FIRST_RESULT = "CONTACT"  # set when both talk; the agent's choice replaces it

_CALLERS = ("", "", "MILLS R", "J. Carter", "Zoë Brandt", 'Dwayne "Rocky" Stone', "ACME Ltd")


def customer(rng: random.Random) -> Party:
    """A number from the ranges that Ofcom keeps free for drama."""
    prefix = rng.choice(("44113496", "44131496", "44161496", "44207946", "44770090"))
    return Party(f"{prefix}0{rng.randrange(1000):03d}", rng.choice(_CALLERS))
