"""kill -9 of the daemon at random moments under load, and the ledger held against the simulator's
own truth: nothing that was committed is lost, nothing is invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.killing import compare, counts, killed
from tests.kit.faults import Told
from tests.kit.stores import Store

SHORT = 3
"""Kills on each kind of database."""

PARTS, EACH = 10, 10
"""On each kind of database: 200 kills in all, in parts that workers share."""


async def one(folder: Path, store: Store, seed: int, kills: int) -> dict[str, int]:
    here = await killed(folder, store, seed, kills)
    wrong = compare(here)
    assert wrong == [], "\n".join([f"seed {seed}, ahead {here.ahead_ms} ms", *wrong[:5]])
    assert here.kills == kills and here.compared is not None
    assert here.compared.exact + here.compared.windows > 100
    return counts(here)


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_killed_under_load(tmp_path: Path, store: Store) -> None:
    await one(tmp_path, store, 1, SHORT)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.fault("daemon kill -9 mid-session")
@pytest.mark.parametrize("seed", range(100, 100 + PARTS))
async def test_killed_200_times(tmp_path: Path, store: Store, seed: int, told: Told) -> None:
    told(f"kill -9 under load, {store.kind}", seed=seed, **await one(tmp_path, store, seed, EACH))
