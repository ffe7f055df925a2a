"""Proof that the audit log, and the ledger that it observed, are what was written.

Nothing is believed that the database says of itself: each row's hash is made anew, signed heads
that are kept elsewhere must lie on the chain, and each row of the ledger must say what the log says
of it last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

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
from monitord.audit.reading import Body, opened, row_from
from monitord.domain.ledger import SupervisionRecord
from monitord.store import tables
from monitord.store.rows import TABLE_OF, record_of

BATCH = 2000
CHUNK = 400

EXPIRED = "apply retention"
"""Act whose row says up to when which kind of row was removed."""

Progress = Callable[[str, int, int], None]
"""Of what, how many are done, of how many."""


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
) -> Report:
    """``keys``: None leaves out the ledger, whose rows only they can be held against. ``public``:
    the key that signed the heads, where it is known from elsewhere; else the one that the log
    itself names.

    Raises:
        SQLAlchemyError, OSError: it could not be read to its end.
    """
    report = Report(0, BEFORE_FIRST, 0, 0, None)
    # One transaction, so that a daemon at work beside it does not look like a fault.
    async with engine.connect() as connection:
        try:
            async for done in _chain(connection, list(heads), public, progress):
                report = done
            if keys is not None:
                count = await _ledger(connection, keys, progress)
                report = msgspec.structs.replace(report, ledger=count)
        except _FoundError as found:
            report = msgspec.structs.replace(report, fault=found.fault)
    return report


# --- the chain -------------------------------------------------------------------------------


async def _chain(
    connection: AsyncConnection, heads: list[Head], public: str | None, progress: Progress
) -> AsyncIterator[Report]:
    c = tables.audit.c
    total = await connection.scalar(select(func.count()).select_from(tables.audit)) or 0
    wanted: dict[int, list[Head]] = {}
    for head in heads:
        wanted.setdefault(head.n, []).append(head)
    signers: dict[str, str] = {}
    n, before, held = 0, BEFORE_FIRST, 0
    while True:
        some = select(tables.audit).where(c.n > n).order_by(c.n).limit(BATCH)
        rows = (await connection.execute(some)).mappings().all()
        for mapping in rows:
            row = _row(mapping, n)
            _check(row, n, before)
            if row.action in (BEGIN, NEW_KEYS):
                named = msgspec.json.decode(row.body, type=Body).plain
                signers[str(named.get("keys"))] = str(named.get("public"))
            for head in wanted.pop(row.n, ()):
                _check_head(head, row, public or signers.get(head.keys))
                held += 1
            n, before = row.n, row.hash
        yield Report(n, before, held, 0, None)
        progress("rows", n, max(total, n))
        if len(rows) < BATCH:
            break
    if n == 0 and not wanted:
        raise _FoundError(1, "the log is empty: it has not even its first row")
    if wanted:
        longest = max(wanted)
        raise _FoundError(
            n + 1,
            f"the log ends at row {n}, but a signed head names row {longest}: what came after "
            f"row {n} was cut off",
        )


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


async def _ledger(connection: AsyncConnection, keys: Keys, progress: Progress) -> int:
    expired = await _expired(connection)
    done = 0
    for cls, action in ACTION.items():
        table = TABLE_OF[cls]
        total = await connection.scalar(select(func.count()).select_from(table)) or 0
        seen = 0
        async for ids in _ids(connection, table.c.id):
            rows = await _rows(connection, cls, ids)
            said = await _said(connection, keys, action, ids)
            for key in ids:
                if key not in said:
                    raise _FoundError(
                        None, f"{table.name} {key} stands in the ledger, but was never observed"
                    )
                n, expected = said[key]
                _compare(n, table.name, rows[key], expected, PERSONAL.get(cls, frozenset()))
            seen += len(ids)
            progress(table.name, seen, max(total, seen))
        await _none_missing(connection, cls, action, keys, expired)
        done += seen
    return done


async def _expired(connection: AsyncConnection) -> dict[str, tuple[int, int]]:
    """Up to when rows of each table were removed by their age, and how many."""
    c = tables.audit.c
    found: dict[str, tuple[int, int]] = {}
    for body in await connection.scalars(select(c.body).where(c.action == EXPIRED)):
        plain = msgspec.json.decode(body, type=Body).plain
        before, rows = found.get(str(plain["kind"]), (0, 0))
        found[str(plain["kind"])] = max(before, int(plain["before"])), rows + int(plain["rows"])
    return found


async def _ids(connection: AsyncConnection, column: Any) -> AsyncIterator[list[str]]:
    last = ""
    while True:
        some = select(column).where(column > last).order_by(column).limit(CHUNK)
        ids = list(await connection.scalars(some))
        if ids:
            yield ids
            last = ids[-1]
        if len(ids) < CHUNK:
            return


async def _rows(connection: AsyncConnection, cls: type[Any], ids: list[str]) -> dict[str, Any]:
    table = TABLE_OF[cls]
    found = await connection.execute(select(table).where(table.c.id.in_(ids)))
    return {row["id"]: msgspec.to_builtins(record_of(row, cls)) for row in found.mappings()}


async def _said(
    connection: AsyncConnection, keys: Keys, action: str, ids: list[str]
) -> dict[str, tuple[int, dict[str, Any]]]:
    """What the log says last of each row, and where."""
    c = tables.audit.c
    last = select(func.max(c.n)).where(c.target.in_(ids), c.action == action).group_by(c.target)
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


async def _none_missing(
    connection: AsyncConnection,
    cls: type[Any],
    action: str,
    keys: Keys,
    expired: dict[str, tuple[int, int]],
) -> None:
    """A row that is not there was removed by its age, and is one of as many as the log says; what
    belongs to a supervision went with it."""
    c, table = tables.audit.c, TABLE_OF[cls]
    owned = "supervision" in table.c
    before, removed = expired.get("supervision" if owned else table.name, (0, 0))
    gone, last = 0, ""
    while True:
        some = (
            select(c.target)
            .where(c.action == action, c.target > last)
            .group_by(c.target)
            .order_by(c.target)
            .limit(CHUNK)
        )
        ids = list(await connection.scalars(some))
        if not ids:
            break
        last = ids[-1]
        there = set(await connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))
        missing = [key for key in ids if key not in there]
        if not missing:
            continue
        said = await _said(connection, keys, action, missing)
        ends = {key: row.get("ended") for key, (_, row) in said.items()}
        if owned:
            owners = {key: str(row.get("supervision")) for key, (_, row) in said.items()}
            ends = await _ends_of(connection, keys, owners)
        for key, (n, _) in said.items():
            ended = ends[key]
            if ended is None or ended >= before:
                raise _FoundError(n, f"{table.name} {key} of row {n} is missing in the ledger")
        gone += len(missing)
    if not owned and gone > removed:
        raise _FoundError(
            None,
            f"{gone} rows of {table.name} are missing in the ledger, but only {removed} were "
            "removed by their age",
        )


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
