"""What goes wrong beside the wire (``plan.MISHAPS`` says what each is)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.chaos import Chaos

SETS_THE_CLOCK = {"clock": 3600.0, "drift": 0.5}
"""By how much at most, in s."""


def happen(chaos: Chaos, what: str, much: float) -> None:
    """``much``: a share of the most that there is of it."""
    faults = chaos.sim.faults
    if what in ("cut", "crash") and not (faults.away or faults.booting):
        (faults.cut if what == "cut" else faults.crash)()
    elif what == "unbooted" and not (faults.away or faults.booting):
        boot_late(chaos, 1 + 60 * much)
        chaos.sim._cut_all()
    elif what in ("tear", "black"):
        for wire in chaos.wires:
            if what == "tear":
                wire.left = int(3000 * much)
            else:
                wire.black = True
    elif what == "stall":
        chaos.loop.stall(1 + 4 * much)
    elif what in SETS_THE_CLOCK and not chaos.plan.lossless:
        chaos.loop.wall_offset += SETS_THE_CLOCK[what] * (2 * much - 1)


def boot_late(chaos: Chaos, seconds: float = 20.0) -> None:
    """Who logs in meanwhile waits for FullyBooted."""
    faults = chaos.sim.faults
    faults.booting = True

    def booted() -> None:
        faults.booting = False
        chaos.sim._booted()

    chaos.loop.call_later(seconds, booted)
