"""All that handlers need of scores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from monitord.csat.counts import TimingCounts
from monitord.csat.intake import Intake
from monitord.csat.settings import ScaleStore
from monitord.csat.store import ScoreStore


@dataclass(frozen=True, slots=True)
class Scores:
    store: ScoreStore
    scale: ScaleStore
    intake: Intake
    counts: TimingCounts
    caught_up: Callable[[], Awaitable[None]]
    """Waits until what the stream has shown stands in the ledgers."""
