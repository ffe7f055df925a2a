"""Seeded runs through a wire on which everything goes wrong; what must hold holds all the while.

``make faults`` runs CHAOS_SEEDS of them (10,000), ``make test`` a few that stay the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from monitord.domain import events as ev
from monitord.domain import reducer
from tests.faults.chaos import Outcome, play
from tests.faults.plan import MISHAPS, Plan, plan_of
from tests.faults.replay import command, shrunk, tell

FEW = (*range(38), 43, 50)
MANY = int(os.environ.get("CHAOS_SEEDS", "10000"))
FROM = int(os.environ.get("CHAOS_FROM", "1000"))
PARTS = 100
"""Of the many, so that workers share them and each part has time enough."""


def held(plan: Plan) -> Outcome:
    outcome = play(plan)
    if outcome.failure is not None:
        raise AssertionError(
            f"seed {plan.seed} does not hold; again, and as small as it gets:\n"
            f"    {command(plan.seed)}\n{tell(plan)}\n{outcome.failure}"
        ) from outcome.failure
    return outcome


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.fault("duplicate events (2 logins, replays)")
@pytest.mark.fault("reordered families")
@pytest.mark.parametrize("part", range(10))
def test_a_few_seeds(part: int) -> None:
    events = sum(held(plan_of(seed)).events for seed in FEW[part::10])
    assert events > 500


def test_the_few_are_of_every_kind() -> None:
    plans = [plan_of(seed) for seed in FEW]
    assert {what for p in plans for _, what, _ in p.outages} == set(MISHAPS)
    assert {p.order for p in plans} == {"kept", "families", "channels"}
    for some in (
        *("lossless", "booting", "piece", "reorder", "delay", "doubles", "drops", "garbles"),
        *("payments", "again", "one_by_one"),
    ):
        assert 0 < sum(bool(getattr(p, some)) for p in plans) < len(plans), some


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.fault("half-open / blackhole")
@pytest.mark.fault("Asterisk kill -9 / restart")
@pytest.mark.fault("missing ChanSpyStop")
@pytest.mark.fault("missing Hangup (prefix spy)")
@pytest.mark.fault("login before FullyBooted")
@pytest.mark.fault("slow websocket client")
@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.fault("clock jump ±1 h, DST, NTP step")
@pytest.mark.fault("duplicate events (2 logins, replays)")
@pytest.mark.fault("reordered families")
@pytest.mark.parametrize("part", range(PARTS))
def test_many_seeds(part: int) -> None:
    for seed in range(FROM + part, FROM + MANY, PARTS):
        held(plan_of(seed))


# --- the harness itself ------------------------------------------------------------------


@pytest.mark.parametrize("seed", [2])
def test_a_seed_is_the_same_byte_for_byte(seed: int) -> None:
    """Also in a process of its own, where sets and dicts of texts have another order."""
    one = play(plan_of(seed))
    assert one.lines == [] and len(one.rows) > 30
    code = (
        "from tests.faults.chaos import play\nfrom tests.faults.plan import plan_of\n"
        f"print(play(plan_of({seed})).history)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == one.history == play(plan_of(seed), keep=True).history


@pytest.mark.parametrize("kind", [ev.ChannelHungUp, ev.SpyStarted])
def test_a_mistake_is_found_and_made_small(
    kind: type[ev.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that overlooks such an event."""
    monkeypatch.setitem(reducer._HANDLERS, kind, lambda shard, event, at: None)
    plan = next(p for p in map(plan_of, FEW) if play(p).failure is not None)
    with pytest.raises(AssertionError, match=f"tests.faults.replay {plan.seed} --shrink"):
        held(plan)
    small = shrunk(plan, tries=5)
    assert play(small).failure is not None and len(tell(small)) <= len(tell(plan))


@pytest.mark.parametrize("seed", [3, 5])
def test_however_it_is_cut_the_ledger_is_the_same(seed: int) -> None:
    """I3: the same messages in other pieces."""
    plan = replace(
        plan_of(seed), delay=0.0, reorder=0.0, drops=0.0, garbles=0.0, doubles=0.0, order="kept"
    )
    plan = replace(plan, outages=tuple(o for o in plan.outages if o[1] != "tear"))
    whole = play(replace(plan, piece=0))
    assert whole.failure is None and len(whole.rows) > 30
    for cutting, piece in enumerate((2, 50, 50, 2000)):
        cut = play(replace(plan, piece=piece), cutting=cutting)
        assert cut.failure is None and cut.rows == whole.rows, f"in pieces of up to {piece}"
