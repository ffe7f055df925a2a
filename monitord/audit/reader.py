"""The audit log for somebody who reads it: page by page, with what belongs together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.chain import BEFORE_FIRST, Row
from monitord.audit.keys import Keys
from monitord.audit.observed import ACTION, RECORD
from monitord.audit.reading import (
    C,
    Opened,
    Veil,
    Wanted,
    bounded,
    last_of,
    opened,
    row_from,
    rows,
    statement,
    where,
)
from monitord.audit.starts import SETTLED
from monitord.domain.ledger import SegmentRecord, SupervisionRecord
from monitord.domain.words import SpyType
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError

SEGMENTS_MOST = 200
"""Segments of one supervision that are looked for."""

VERSIONS_MOST = 500


class Shown(Struct, frozen=True):
    """A row with what belongs to it."""

    one: Opened
    outcome: Opened | None = None
    """Of an act that has a row after."""
    versions: int = 1
    """Rows of the log that say what was observed of the same thing."""
    parts: tuple[Opened, ...] = ()
    """Segments of a supervision, each as it was last seen."""


class Detail(Struct, frozen=True):
    shown: Shown
    before: str
    """Hash of the row before it."""
    versions: tuple[Opened, ...] = ()
    """All that was observed of the same thing, its parts included, in the order of the log."""


def of_supervision(supervision: str) -> list[str]:
    """Targets of all rows about it and its parts, but for those of a supervision with more."""
    return [
        supervision,
        *(f"{supervision}-{n}" for n in range(1, SEGMENTS_MOST + 1)),
        *(f"{supervision}.{kind.value.lower()}" for kind in SpyType),
    ]


class Reader:
    """Every method raises ``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine, keys: Keys) -> None:
        self._engine, self._keys = engine, keys

    async def page(
        self, wanted: Wanted, limit: int, veil: Veil | None
    ) -> tuple[list[Shown], int | None]:
        """Newest first; and the number of the last one, where there are more."""
        # Outcomes stand beside their acts.
        but = tuple(SETTLED.values()) if wanted.folded else ()
        async with self._connect() as connection:
            wanted = await bounded(connection, wanted)
            found = await rows(connection, statement(wanted, limit + 1, *but))
            more, found = len(found) > limit, found[:limit]
            shown = await self._together(connection, found, veil, parts=wanted.folded)
        return shown, found[-1].n if more else None

    async def one(self, n: int, veil: Veil | None) -> Detail | None:
        async with self._connect() as connection:
            found = await rows(connection, select(tables.audit).where(C.n == n))
            if not found:
                return None
            (shown,) = await self._together(connection, found, veil, parts=True)
            before = await connection.scalar(select(C.hash).where(C.n == n - 1))
            versions: list[Opened] = []
            if found[0].action in RECORD:
                targets = [found[0].target]
                if found[0].action == ACTION[SupervisionRecord]:
                    targets = of_supervision(found[0].target)
                same = select(tables.audit).where(C.target.in_(targets))
                all_of = await rows(connection, same.order_by(C.n).limit(VERSIONS_MOST))
                seen = [row for row in all_of if row.action in RECORD]
                versions = await opened(self._keys, seen, veil)
        return Detail(shown, before or BEFORE_FIRST, tuple(versions))

    async def _together(
        self, connection: AsyncConnection, found: list[Row], veil: Veil | None, *, parts: bool
    ) -> list[Shown]:
        acts = [row.n for row in found if row.action in SETTLED]
        after = await rows(connection, select(tables.audit).where(C.about.in_(acts)))
        after = [row for row in after if row.action in SETTLED.values()]
        seen = [row for row in found if row.action in RECORD]
        versions = await _versions(connection, {row.target for row in seen})
        owners = [row.target for row in seen if row.action == ACTION[SupervisionRecord]]
        segments = await _segments(connection, owners) if parts else {}
        inside = [row for some in segments.values() for row in some]
        known = await opened(self._keys, [*found, *after, *inside], veil)
        by_n = {one.row.n: one for one in known}
        outcomes = {row.about: by_n[row.n] for row in after}
        return [
            Shown(
                by_n[row.n],
                outcomes.get(row.n),
                versions.get((row.target, row.action), 1),
                tuple(by_n[part.n] for part in segments.get(row.target, ()))
                if row.action == ACTION[SupervisionRecord]
                else (),
            )
            for row in found
        ]

    async def opened(self, some: Iterable[Row], veil: Veil | None) -> list[Opened]:
        return await opened(self._keys, some, veil)

    async def last(self) -> tuple[int, str]:
        """Number and hash of the last row."""
        async with self._connect() as connection:
            latest = select(C.n, C.hash).order_by(C.n.desc()).limit(1)
            row = (await connection.execute(latest)).one_or_none()
        return (row.n, row.hash) if row is not None else (0, BEFORE_FIRST)

    async def latest(self, action: str) -> Row | None:
        async with self._connect() as connection:
            some = select(tables.audit).where(C.action == action).order_by(C.n.desc()).limit(1)
            found = await rows(connection, some)
        return found[0] if found else None

    async def count(self, wanted: Wanted) -> int:
        async with self._connect() as connection:
            some = select(func.count()).select_from(tables.audit).where(*where(wanted))
            return await connection.scalar(some) or 0

    async def batches(self, wanted: Wanted, size: int) -> AsyncIterator[list[tuple[str, Row]]]:
        """Oldest first; each row with the hash before it."""
        earlier = tables.audit.alias("earlier")
        last = 0
        async with self._connect() as connection:
            wanted = await bounded(connection, wanted)
        while True:
            some = (
                select(tables.audit, earlier.c.hash.label("hash_before"))
                .outerjoin(earlier, earlier.c.n == C.n - 1)
                .where(*where(wanted), C.n > last)
                .order_by(C.n)
                .limit(size)
            )
            async with self._connect() as connection:
                found = (await connection.execute(some)).mappings().all()
            batch: list[tuple[str, Row]] = []
            for mapping in found:
                values = dict(mapping)
                before = values.pop("hash_before")
                batch.append((before or BEFORE_FIRST, row_from(values)))
            if batch:
                yield batch
                last = batch[-1][1].n
            if len(batch) < size:
                return

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None


async def _versions(connection: AsyncConnection, targets: set[str]) -> dict[tuple[str, str], int]:
    if not targets:
        return {}
    some = (
        select(C.target, C.action, func.count().label("rows"))
        .where(C.target.in_(targets))
        .group_by(C.target, C.action)
    )
    return {(r.target, r.action): r.rows for r in await connection.execute(some)}


async def _segments(
    connection: AsyncConnection, supervisions: Sequence[str]
) -> dict[str, list[Row]]:
    """The last row about each segment that stands in the ledger."""
    if not supervisions:
        return {}
    c = tables.segment.c
    some = select(c.id, c.supervision).where(c.supervision.in_(supervisions))
    owner = {r.id: r.supervision for r in await connection.execute(some)}
    found: dict[str, list[Row]] = {}
    if not owner:
        return found
    action = ACTION[SegmentRecord]
    last = last_of(list(owner), action)
    for row in await rows(connection, select(tables.audit).where(C.n.in_(last)).order_by(C.n)):
        found.setdefault(owner[row.target], []).append(row)
    return found
