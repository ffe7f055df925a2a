"""The audit log as the daemon starts with it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord import __version__
from monitord.assembly.errors import StartError
from monitord.audit import adoption
from monitord.audit.heads import HEADS_FILE, last_head
from monitord.audit.keys import Keys, open_keys
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.starts import started
from monitord.config import Loaded
from monitord.privacy.receipts import finish_all
from monitord.store import tables
from monitord.store.engine import name_of, reason_of
from monitord.store.errors import emptied
from monitord.store.traces import sweep


def _without_secrets(url: str) -> str:
    """An address whose path may hold a password of the receiver's: that it is another one now can
    still be told."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}#{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def known_from(loaded: Loaded) -> Path | None:
    """The file beside the keys that tells of an audit log in the database; None where none does."""
    path = loaded.keys.with_name(HEADS_FILE)
    return path if last_head(path) is not None else None


async def _missed(engine: AsyncEngine, path: Path) -> None:
    """Say what was lost of the log: by a damaged disk, or by a backup that was put back."""
    head, c = last_head(path), tables.audit.c
    async with engine.connect() as connection:
        last = await connection.scalar(select(func.max(c.n))) or 0
    if head is not None and last < head.n:
        structlog.get_logger("audit").error(
            "rows_missing", rows=head.n - last, file=str(path), see="docs/audit.md"
        )


async def open_audit(engine: AsyncEngine, loaded: Loaded) -> tuple[Keys, AuditLog]:
    """The audit log with its keys, which must be those that it was begun with."""
    path = loaded.keys
    try:
        begun = await adoption.is_begun(engine)
        if not begun and (told := known_from(loaded)) is not None:
            raise StartError(emptied(name_of(loaded.store_url), told))
        await _missed(engine, path.with_name(HEADS_FILE))
        if not begun:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = open_keys(path, make=not begun)
    except OSError as error:
        raise StartError(f"store.keys: {error.strerror or error}") from None
    except SQLAlchemyError as error:
        raise StartError(f"the audit log cannot be read: {reason_of(error)}") from None
    audit = AuditLog(engine, keys)
    settings = msgspec.to_builtins(loaded.settings)
    settings.pop("people", None)
    settings["record"].pop("scrub_numbers")  # customers' numbers
    for table in (settings["audit"], *settings["webhook"]):
        for key in ("webhook", "url"):
            if table.get(key):
                table[key] = _without_secrets(table[key])
    try:
        await adoption.begin(engine, audit)
        await started(engine, audit, __version__, settings)
        ended = await finish_all(engine, audit)
    except AuditError as error:
        keys.close()
        raise StartError(f"the audit log: {error}") from None
    except (SQLAlchemyError, OSError) as error:
        keys.close()
        raise StartError(f"an erasure that was begun: {reason_of(error)}") from None
    if ended:
        structlog.get_logger("privacy").info("erasures_ended", erasures=ended)
        # Whom they were of is not known any more.
        if why := await sweep(engine, None):
            structlog.get_logger("privacy").error("erased_may_be_in_free_space", why=why)
    return keys, audit
