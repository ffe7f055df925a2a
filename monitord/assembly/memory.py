"""How the daemon's process collects garbage."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 50


def settle_memory() -> None:
    """Once all is started. What a start leaves (modules, tables, routes: half a million objects) is
    looked through no more, so that a full collection, for which everything stands still, takes
    milliseconds; and it is done less often, since what comes and goes here is freed without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
