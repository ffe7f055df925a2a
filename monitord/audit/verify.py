"""Proof that the audit log, and the ledger that it observed, are what was written.

Nothing is believed that the database says of itself: each row's hash is made anew, signed heads
that are kept elsewhere must lie on the chain, and each row of the ledger must say what the log says
of it last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.adoption import BEGIN, NEW_KEYS
from monitord.audit.chain import BEFORE_FIRST, Head, Row, hash_of
from monitord.audit.erased import PERSONAL, as_erased
from monitord.audit.heads import signed_by
from monitord.audit.keys import Keys
from monitord.audit.observed import ACTION
from monitord.audit.reading import Body, last_of, not_by_index, opened, row_from
from monitord.domain.ledger import SupervisionRecord
from monitord.store import tables
from monitord.store.rows import TABLE_OF, record_of

T = TypeVar("T")

BATCH = 500
"""Rows of the log at a time: some ms of work, so that whoever else uses the loop goes on."""

CHUNK = 200
"""The same for rows of the ledger, which are unsealed."""

AGAIN_S = (0.1, 0.5, 2.0)
"""After which times a fault of the ledger is looked at again."""

EXPIRED = "apply retention"
"""Act whose row says up to when which kind of row was removed."""

Progress = Callable[[str, int, int], None]
"""Of what, how many are done, of how many. What it raises ends the proof, between two batches."""


class Fault(Struct, frozen=True):
    """The first thing that is not as it was written."""

    n: int | None
    """Number of the row of the audit log; None where it is a row of the ledger that is missing
    there."""
    what: str


class Report(Struct, frozen=True):
    rows: int
    head: str
    """Hash of the last row."""
    heads: int
    """Signed heads that were held against it."""
    ledger: int
    """Rows of the ledger that were."""
    fault: Fault | None


class _FoundError(Exception):
    def __init__(self, n: int | None, what: str) -> None:
        super().__init__(what)
        self.fault = Fault(n, what)


async def verify(
    engine: AsyncEngine,
    keys: Keys | None,
    heads: Iterable[Head] = (),
    *,
    public: str | None = None,
    progress: Progress = lambda what, done, of: None,
    again_s: Sequence[float] = AGAIN_S,
) -> Report:
    """``keys``: None leaves out the ledger, whose rows only they can be held against. ``public``:
    the key that signed the heads, where it is known from elsewhere; else the one that the log
    itself names. ``heads`` are taken before anything is read, so that none is newer than the log.

    Each batch is a transaction of its own, so that a long log keeps neither a write-ahead log nor
    an old snapshot alive, and a daemon may be at work beside it.

    Raises:
        SQLAlchemyError, OSError: it could not be read to its end.
    """
    ledger = 0
    fault: Fault | None = None
    async with engine.connect() as connection:
        chain = _Chain(connection, list(heads), public, progress)
        try:
            await chain.follow()
            chain.check_end()
            if keys is not None:
                ledger = await _Ledger(connection, keys, progress, again_s).check()
                # What the ledger was held against may have been written since.
                await chain.follow()
        except _FoundError as found:
            fault = found.fault
    return Report(chain.n, chain.before, chain.held, ledger, fault)


# --- the chain -------------------------------------------------------------------------------


class _Chain:
    """How far it was followed."""

    def __init__(
        self,
        connection: AsyncConnection,
        heads: list[Head],
        public: str | None,
        progress: Progress,
    ) -> None:
        self.n, self.before, self.held = 0, BEFORE_FIRST, 0
        self._latest = self._back = 0
        self._connection = connection
        self._public = public
        self._progress = progress
        self._signers: dict[str, str] = {}
        self._wanted: dict[int, list[Head]] = {}
        for head in heads:
            self._wanted.setdefault(head.n, []).append(head)

    async def follow(self) -> None:
        """From there to its end."""
        c = tables.audit.c
        connection = self._connection
        total = await connection.scalar(select(func.count()).select_from(tables.audit)) or 0
        while True:
            some = select(tables.audit).where(c.n > self.n).order_by(c.n).limit(BATCH)
            rows = (await connection.execute(some)).mappings().all()
            await connection.rollback()  # the end of its transaction
            for mapping in rows:
                self._take(_row(mapping, self.n))
            self._progress("rows", self.n, max(total, self.n))
            if len(rows) < BATCH:
                break
            await asyncio.sleep(0)
        back = await connection.scalar(select(tables.audit_clock.c.back)) or 0
        await connection.rollback()
        if back < self._back:
            # Whoever asks for a time would not be shown all of its rows.
            raise _FoundError(None, "audit_clock says less than the clock was ever set back")

    def _take(self, row: Row) -> None:
        _check(row, self.n, self.before)
        if row.action in (BEGIN, NEW_KEYS):
            named = msgspec.json.decode(row.body, type=Body).plain
            self._signers[str(named.get("keys"))] = str(named.get("public"))
        for head in self._wanted.pop(row.n, ()):
            _check_head(head, row, self._public or self._signers.get(head.keys))
            self.held += 1
        self.n, self.before = row.n, row.hash
        self._latest = max(self._latest, row.at)
        self._back = max(self._back, self._latest - row.at)

    def check_end(self) -> None:
        if self._wanted:
            longest = max(self._wanted)
            raise _FoundError(
                self.n + 1,
                f"the log ends at row {self.n}, but a signed head names row {longest}: what came "
                f"after row {self.n} was cut off",
            )
        if self.n == 0:
            raise _FoundError(1, "the log is empty: it has not even its first row")


def _row(mapping: Any, n: int) -> Row:
    try:
        return row_from(mapping)
    except msgspec.ValidationError:
        raise _FoundError(n + 1, f"row {n + 1} holds what monitord never writes") from None


def _check(row: Row, n: int, before: str) -> None:
    if row.n != n + 1:
        raise _FoundError(n + 1, f"row {n + 1} is missing; the next one is row {row.n}")
    if hash_of(before, row) != row.hash:
        raise _FoundError(row.n, f"row {row.n} is not as it was written, or not where it was")
    if n == 0 and row.action != BEGIN:
        raise _FoundError(1, "row 1 does not begin a log")


def _check_head(head: Head, row: Row, public: str | None) -> None:
    if public is None:
        raise _FoundError(row.n, f"a head of row {row.n} is signed with keys that no row names")
    if not signed_by(public, head):
        raise _FoundError(row.n, f"a head of row {row.n} has a signature that is not right")
    if head.hash != row.hash:
        raise _FoundError(
            row.n, f"row {row.n} or one before it was replaced: a signed head has another hash"
        )


# --- the ledger ------------------------------------------------------------------------------


class _Ledger:
    """Its rows and what the log says of them are read in one transaction for some rows each."""

    def __init__(
        self,
        connection: AsyncConnection,
        keys: Keys,
        progress: Progress,
        again_s: Sequence[float],
    ) -> None:
        self._connection, self._keys, self._progress = connection, keys, progress
        self._again_s = again_s
        self._gone: dict[str, int] = {}
        """How many are missing, by the id after which they were looked for."""
        self._expired: dict[str, tuple[int, int]] = {}
        self._read_to = 0

    async def check(self) -> int:
        done = 0
        for cls, action in ACTION.items():
            table = TABLE_OF[cls]
            total = await self._connection.scalar(select(func.count()).select_from(table)) or 0
            seen, last = 0, ""
            while ids := await self._surely(partial(self._compared, cls, action, last)):
                seen, last = seen + len(ids), ids[-1]
                self._progress(str(table.name), seen, max(total, seen))
            last, self._gone = "", {}
            while ids := await self._surely(partial(self._none_missing, cls, action, last)):
                last = ids[-1]
                self._progress(str(table.name), seen, max(total, seen))
            done += seen
        return done

    async def _surely(self, check: Callable[[], Awaitable[T]]) -> T:
        """Somebody who is being erased is so in the keys and in the ledger one after the other, so
        a fault must be there again a moment later."""
        for wait in self._again_s:
            try:
                return await self._once(check)
            except _FoundError:
                await asyncio.sleep(wait)
        return await self._once(check)

    async def _once(self, check: Callable[[], Awaitable[T]]) -> T:
        """In a transaction of its own."""
        await asyncio.sleep(0)
        await self._keys.read_anew()
        await self._connection.rollback()
        try:
            return await check()
        finally:
            await self._connection.rollback()

    async def _compared(self, cls: type[Any], action: str, after: str) -> list[str]:
        """The next ones after that id, which are as they should be."""
        table, connection = TABLE_OF[cls], self._connection
        some = select(table.c.id).where(table.c.id > after).order_by(table.c.id).limit(CHUNK)
        ids = list(await connection.scalars(some))
        rows = await _rows(connection, cls, ids)
        said = await _said(connection, self._keys, action, ids)
        for key in ids:
            if key not in said:
                raise _FoundError(
                    None, f"{table.name} {key} stands in the ledger, but was never observed"
                )
            n, expected = said[key]
            _compare(n, table.name, rows[key], expected, PERSONAL.get(cls, frozenset()))
        return ids

    async def _none_missing(self, cls: type[Any], action: str, after: str) -> list[str]:
        """The next ones after that id which the log knows, and which stand in the ledger."""
        c, table, connection = tables.audit.c, TABLE_OF[cls], self._connection
        some = (
            select(c.target)
            .where(not_by_index(c.action) == action, c.target > after)
            .group_by(c.target)
            .order_by(c.target)
            .limit(CHUNK)
        )
        ids = list(await connection.scalars(some))
        there = set(await connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))
        missing = [key for key in ids if key not in there]
        self._gone[after] = len(missing)
        if missing:
            await self._by_their_age(connection, cls, action, missing)
        return ids

    async def _by_their_age(
        self, connection: AsyncConnection, cls: type[Any], action: str, missing: list[str]
    ) -> None:
        """A row that is not there was removed by its age, and is one of as many as the log says;
        what belongs to a supervision went with it."""
        table = TABLE_OF[cls]
        await self._read_expired(connection)
        owned = "supervision" in table.c
        before, removed = self._expired.get("supervision" if owned else table.name, (0, 0))
        said = await _said(connection, self._keys, action, missing)
        ends = {key: row.get("ended") for key, (_, row) in said.items()}
        if owned:
            owners = {key: str(row.get("supervision")) for key, (_, row) in said.items()}
            ends = await _ends_of(connection, self._keys, owners)
        for key, (n, _) in said.items():
            ended = ends[key]
            if ended is None or ended >= before:
                raise _FoundError(n, f"{table.name} {key} of row {n} is missing in the ledger")
        gone = sum(self._gone.values())
        if not owned and gone > removed:
            raise _FoundError(
                None,
                f"{gone} rows of {table.name} are missing in the ledger, but only {removed} were "
                "removed by their age",
            )

    async def _read_expired(self, connection: AsyncConnection) -> None:
        """Up to when rows of each table were removed by their age, and how many."""
        c = tables.audit.c
        some = select(c.n, c.body).where(c.action == EXPIRED, c.n > self._read_to).order_by(c.n)
        for n, body in (await connection.execute(some)).all():
            plain = msgspec.json.decode(body, type=Body).plain
            kind = str(plain["kind"])
            before, rows = self._expired.get(kind, (0, 0))
            self._expired[kind] = max(before, int(plain["before"])), rows + int(plain["rows"])
            self._read_to = n


async def _ends_of(
    connection: AsyncConnection, keys: Keys, owners: dict[str, str]
) -> dict[str, int | None]:
    """When the supervision of each of these ended; None where it still stands in the ledger."""
    table, action = tables.supervision, ACTION[SupervisionRecord]
    ids = sorted(set(owners.values()))
    there = set(await connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))
    said = await _said(connection, keys, action, [key for key in ids if key not in there])
    ends = {key: row.get("ended") for key, (_, row) in said.items()}
    return {key: ends.get(owner) for key, owner in owners.items()}


async def _rows(connection: AsyncConnection, cls: type[Any], ids: list[str]) -> dict[str, Any]:
    table = TABLE_OF[cls]
    found = await connection.execute(select(table).where(table.c.id.in_(ids)))
    return {row["id"]: msgspec.to_builtins(record_of(row, cls)) for row in found.mappings()}


async def _said(
    connection: AsyncConnection, keys: Keys, action: str, ids: list[str]
) -> dict[str, tuple[int, dict[str, Any]]]:
    """What the log says last of each row, and where."""
    c = tables.audit.c
    last = last_of(ids, action)
    found = await connection.execute(select(tables.audit).where(c.n.in_(last)))
    rows = [row_from(r) for r in found.mappings()]
    return {
        one.row.target: (one.row.n, dict(one.detail.get("row", {})))
        for one in await opened(keys, rows)
    }


def _compare(
    n: int, table: str, row: dict[str, Any], expected: dict[str, Any], personal: frozenset[str]
) -> None:
    """Whose key is gone stands in the ledger as somebody erased; all else must be the same."""
    # Other fields that the log does not know have come with a later version.
    for name in sorted(personal & (row.keys() - expected.keys())):
        if not as_erased(name, row[name]):
            raise _FoundError(
                n, f"{table} {row['id']}: {name} was erased in row {n}, but not in the ledger"
            )
    for name, value in expected.items():
        if name in row and row[name] != value:
            raise _FoundError(
                n, f"{table} {row['id']}: {name} is not what row {n} says was observed"
            )
