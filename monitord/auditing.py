"""`monitord audit`: proof of the log from the command line, and new keys for one that lost them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.assembly.alone import alone
from monitord.assembly.errors import StartError
from monitord.audit import sheet
from monitord.audit.adoption import named_keys
from monitord.audit.chain import Head
from monitord.audit.heads import HEADS_FILE, HeadsError, read_heads, sign
from monitord.audit.keeping import kept_in
from monitord.audit.keys import KEYS_FILE, Keys, KeysError, open_keys
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.reader import Reader
from monitord.audit.renewal import renew
from monitord.audit.verify import Report, verify
from monitord.config import ConfigError, Loaded, load
from monitord.store.engine import StoreError, open_store, reason_of, visit_store
from monitord.store.history import UnreadableError
from monitord.store.sqlite import sqlite_url

Show = Callable[[str, int, int], None]
"""Of what, how many are done, of how many."""

LINE_S = 5.0
"""How often progress is a line, where there is no terminal."""


class NotProvedError(click.ClickException):
    """It could not be looked at: neither whole nor broken."""

    exit_code = 2


@dataclass(frozen=True)
class Place:
    """Which log: a site's, or a copy of its database."""

    config: Path
    database: Path | None = None
    keys: Path | None = None
    """Their file, or its folder."""

    @cached_property
    def loaded(self) -> Loaded:
        try:
            return load(self.config)
        except ConfigError as error:
            raise NotProvedError(str(error)) from None

    @property
    def url(self) -> URL:
        return self.loaded.store_url if self.database is None else sqlite_url(self.database)

    @property
    def keys_file(self) -> Path | None:
        if self.keys is not None:
            return self.keys / KEYS_FILE if self.keys.is_dir() else self.keys
        return self.loaded.keys if self.database is None else None

    def heads(self, keys: Keys | None) -> list[Path]:
        """Files of heads that this site writes itself, as far as they are there."""
        if keys is None:
            return []
        if self.database is not None:
            return [p for p in (keys.path.with_name(HEADS_FILE),) if p.exists()]
        return [p for p in kept_in(keys, self.loaded.keeping) if p.exists()]


@asynccontextmanager
async def _opened(place: Place) -> AsyncIterator[tuple[AsyncEngine, Keys | None]]:
    path = place.keys_file
    with _plainly():
        keys = None if path is None else open_keys(path, make=False)
        try:
            engine = await visit_store(place.url)
            try:
                yield engine, keys
            finally:
                await engine.dispose()
        finally:
            if keys is not None:
                keys.close()


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (StoreError, HeadsError, UnreadableError, KeysError) as error:
        raise NotProvedError(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        raise NotProvedError(reason_of(error)) from None


# --- verify ----------------------------------------------------------------------------------


def verify_log(place: Place, heads: Sequence[Path], public: str | None) -> None:
    """Says what is found; ends with 1 where something is broken."""
    report = asyncio.run(_verify(place, heads, public))
    click.echo(told(report))
    if report.fault is not None:
        sys.exit(1)


async def _verify(place: Place, more: Sequence[Path], public: str | None) -> Report:
    async with _opened(place) as (engine, keys):
        heads: list[Head] = []
        for path in [*place.heads(keys), *more]:
            heads += read_heads(path)
        if keys is None:
            click.echo("no keys: the ledger is not held against the log (--keys)", err=True)
        with _shown() as progress:
            return await verify(engine, keys, heads, public=public, progress=progress)


def told(report: Report) -> str:
    rows = f"{report.rows:,} rows, the last with hash {report.head}"
    if report.fault is not None:
        where = "" if report.fault.n is None else f" at row {report.fault.n}"
        return f"BROKEN{where}: {report.fault.what}\nright up to there: {rows}"
    return (
        f"whole: {rows}\n{report.heads:,} signed heads lie on it, {report.ledger:,} rows of the "
        "ledger are as it says"
    )


@contextmanager
def _shown() -> Iterator[Show]:
    """Gives what takes the progress."""
    with ExitStack() as stack:
        yield _bar(stack) if sys.stderr.isatty() else _lines()


def _bar(stack: ExitStack) -> Show:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True)))
    tasks = {}

    def show(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what)
        bar.update(tasks[what], completed=done, total=of)

    return show


def _lines() -> Show:
    last: dict[str, float] = {}

    def show(what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if done >= of or now - last.get(what, 0.0) >= LINE_S:
            last[what] = now
            click.echo(f"{what}: {done:,} of {of:,}", err=True)

    return show


# --- head, key, exports ----------------------------------------------------------------------


def show_head(place: Place) -> None:
    click.echo(msgspec.json.encode(asyncio.run(_head(place))))


async def _head(place: Place) -> Head:
    async with _opened(place) as (engine, keys):
        if keys is None:
            raise NotProvedError("a head is signed with the keys; name them with --keys")
        return sign(keys, *await Reader(engine, keys).last())


def show_key(place: Place) -> None:
    path = place.keys_file
    with _plainly():
        if path is None:
            raise NotProvedError("name the keys with --keys")
        keys = open_keys(path, make=False)
        click.echo(keys.public)
        keys.close()


def verify_export(path: Path, public: str | None) -> None:
    try:
        found = sheet.prove(path, public)
    except sheet.ExportError as error:
        click.echo(f"BROKEN: {error}")
        sys.exit(1)
    except OSError as error:
        raise NotProvedError(f"{path}: {error.strerror}") from None
    said = found.summary
    rows = f"{said.rows:,} rows"
    if said.first is not None and said.last is not None:
        rows += f", {said.first.n} to {said.last.n}"
    click.echo(f"whole: {rows}; signed by {public or found.begin.public}")
    if public is None:
        click.echo(
            "that is the key which the file names itself; hold it against the one that you know, "
            "or give it with --public-key"
        )


# --- new keys --------------------------------------------------------------------------------

LOST = """\
With the old keys is lost, for ever:
  - who did what in the {rows:,} rows of the log up to now: their names, numbers and reasons
  - to find these rows by a person or a customer's number
Still there: these rows, their order and hashes, and the ledger itself.
If there is a backup of {path}, put it back instead."""


def new_keys(config: Path, ask: Callable[[str], bool]) -> None:
    """
    Raises:
        StartError: with what to do.
    """
    asyncio.run(_new_keys(Place(config).loaded, ask))


async def _new_keys(loaded: Loaded, ask: Callable[[str], bool]) -> None:
    path = loaded.keys
    with alone(loaded.folder):
        try:
            engine = await open_store(loaded.store_url)
        except StoreError as error:
            raise StartError(str(error)) from None
        try:
            async with engine.connect() as connection:
                named = await named_keys(connection)
            if named is None:
                raise StartError("this log has not begun yet; the daemon's first start makes keys")
            old = _readable(path)
            if old == named:
                raise StartError(f"the keys in {path} are those of this log; nothing is lost")
            report = await verify(engine, None)
            click.echo(told(report), err=True)
            click.echo(LOST.format(rows=report.rows, path=path), err=True)
            if not ask("Go on with new keys?"):
                raise StartError("nothing was changed")
            if path.exists():
                aside = path.with_name(f"{path.name}.not-of-this-log-{time.time_ns()}")
                path.rename(aside)
                click.echo(f"what stood there is kept as {aside}", err=True)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys = open_keys(path, make=True)
            try:
                rows = await renew(engine, AuditLog(engine, keys), named)
            finally:
                keys.close()
        except (AuditError, OSError) as error:
            raise StartError(str(error)) from None
        except SQLAlchemyError as error:
            raise StartError(reason_of(error)) from None
        finally:
            await engine.dispose()
    click.echo(f"new keys in {path}; {rows:,} rows of the ledger were written into the log anew")
    click.echo("Make a backup of them now, apart from that of the database.")


def _readable(path: Path) -> str | None:
    """Id of the keys there; None where there are none that can be used."""
    try:
        keys = open_keys(path, make=False)
    except OSError:
        return None
    try:
        return keys.id
    finally:
        keys.close()
