"""What every command has that runs until somebody ends it: a log, and an ear for the signals."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Iterable
from typing import Any

import structlog


def set_up_log(level: str, form: str) -> None:
    """Logs go to stderr. No processor renders whole messages or settings, so no secret and no
    telephone number gets in."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def stop_asked() -> asyncio.Task[Any]:
    """Done when the process was asked to end."""
    asked = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    return asyncio.create_task(asked.wait())


async def until_stopped(parts: Iterable[asyncio.Task[None]], stop: asyncio.Task[Any]) -> None:
    """Until ``stop`` is done, or until one of the daemon's parts ends.

    Raises:
        Exception: with which a part failed, which must not go unseen.
    """
    done, _ = await asyncio.wait([stop, *parts], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task is not stop and (error := task.exception()) is not None:
            raise error
