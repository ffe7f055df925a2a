"""A test that waits for ever fails by name, and says what each of its tasks waited for."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


def tell_tasks() -> None:
    """pytest-timeout's own alarm prints the stack of each thread, which of a test on an event
    loop is always the loop's `select`."""
    inner = signal.getsignal(signal.SIGALRM)
    if callable(inner):
        signal.signal(signal.SIGALRM, _telling(inner))


def _telling(inner: Handler) -> Handler:
    def handler(number: int, frame: FrameType | None) -> None:
        try:
            tasks = asyncio.all_tasks()
        except RuntimeError:  # no loop runs
            tasks = set()
        for task in sorted(tasks, key=lambda task: task.get_name()):
            task.print_stack(file=sys.stderr)
        inner(number, frame)

    return handler
