"""All that handlers need of flags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from monitord.flags.board import Board
from monitord.flags.counts import FlagCounts
from monitord.flags.settings import SettingsStore
from monitord.flags.store import FlagStore


@dataclass(frozen=True, slots=True)
class Flags:
    store: FlagStore
    board: Board
    settings: SettingsStore
    counts: FlagCounts
    caught_up: Callable[[], Awaitable[None]]
    """Waits until what the stream has shown stands in the ledgers."""
