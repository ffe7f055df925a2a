"""Where a site keeps the heads of its audit log, as its settings say."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.audit.heads import HEADS_FILE, Heads, Sink, to_file
from monitord.audit.keys import Keys
from monitord.audit.sinks import syslog_address, to_syslog, to_webhook


class Keeping(Struct, frozen=True):
    """Besides the file beside the keys, which is always written."""

    every_s: int = 300
    files: tuple[Path, ...] = ()
    webhook: str = ""
    syslog: str = ""


def kept_in(keys: Keys, keeping: Keeping) -> tuple[Path, ...]:
    """The files of heads."""
    return (keys.path.with_name(HEADS_FILE), *keeping.files)


def heads_of(engine: AsyncEngine, keys: Keys, keeping: Keeping) -> Heads:
    sinks: list[tuple[str, Sink]] = [(str(path), to_file(path)) for path in kept_in(keys, keeping)]
    if keeping.webhook:
        sinks.append((keeping.webhook, to_webhook(keeping.webhook)))
    if keeping.syslog:
        sinks.append((keeping.syslog, to_syslog(syslog_address(keeping.syslog))))
    return Heads(engine, keys, sinks, keeping.every_s)
