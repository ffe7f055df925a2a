"""Closed vocabularies of the roster."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Cadence(StrEnum):
    """How often a leader and a direct report have their one-to-one."""

    WEEKLY = "weekly"
    BI_WEEKLY = "bi-weekly"
    MONTHLY = "monthly"


How = Literal["queue", "agent", "supervisor"]
"""How an endpoint was seen: as the member of a queue; as an agent by other means; as one who
supervised somebody."""

What = Literal["new", "changed", "same"]
"""What a line of a sheet does to somebody."""
