"""Thousands of calls in a row: nothing is left over but their rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.soak import soak
from tests.kit.faults import Told

CALLS, SUPERVISIONS = 12_000, 1_000
"""An eighth of `make soak`: warm, and long enough for a single kilobyte kept of each to be seen."""


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.fault("a long run")
async def test_nothing_is_left_over(tmp_path: Path, told: Told) -> None:
    found = await soak(tmp_path, CALLS, SUPERVISIONS, seed=2, say=print)
    assert found.faults() == []
    assert found.calls >= CALLS and found.supervisions >= SUPERVISIONS
    told("a shorter soak", seed=2, **found.counts())
