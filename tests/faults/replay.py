"""One seeded run again, with all that happened in it: ``python -m tests.faults.replay SEED``.

``--shrink`` looks for the smallest plan that still fails in the same way, ``--history FILE`` writes
every byte, event, row and frame in their order.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from tests.faults.chaos import Outcome, play
from tests.faults.plan import Plan, plan_of, simpler

TRIES = 200
"""Plans that are tried at most to find a smaller one."""


def command(seed: int) -> str:
    return f"python -m tests.faults.replay {seed} --shrink"


def kind_of(outcome: Outcome) -> str:
    """What a failure has in common with one of another plan."""
    if outcome.failure is None:
        return ""
    last = str(outcome.failure).strip().splitlines()[-1:] or [type(outcome.failure).__name__]
    return last[0].partition(":")[0][:60]


def shrunk(plan: Plan, tries: int = TRIES) -> Plan:
    """With one thing less after the other, as long as it fails in the same way."""
    wanted = kind_of(play(plan))
    found = True
    while found and tries > 0:
        found = False
        for smaller in simpler(plan):
            tries -= 1
            if kind_of(play(smaller)) == wanted:
                plan, found = smaller, True
                break
    return plan


def tell(plan: Plan) -> str:
    plain = Plan(plan.seed)
    told = [
        f"{f.name}={getattr(plan, f.name)!r}"
        for f in fields(Plan)
        if f.name == "seed" or getattr(plan, f.name) != getattr(plain, f.name)
    ]
    return f"Plan({', '.join(told)})"


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.faults.replay")
    asked.add_argument("seed", type=int)
    asked.add_argument("--shrink", action="store_true", help="find the smallest plan that fails")
    asked.add_argument("--history", type=Path, help="file for all that happened")
    given = asked.parse_args()
    plan = plan_of(given.seed)
    if given.shrink and play(plan).failure is not None:
        plan = shrunk(plan)
    outcome = play(plan, keep=given.history is not None)
    if given.history is not None:
        given.history.write_text("\n".join(outcome.lines) + "\n", encoding="utf-8")
    print(tell(plan))
    print(f"{outcome.events} events, history {outcome.history}")
    if outcome.failure is None:
        print("it holds")
        return 0
    print(f"{type(outcome.failure).__name__}: {outcome.failure}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
