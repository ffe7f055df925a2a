"""Receipts of erasures: what was erased when, signed with the audit log's keys. They say no word of
whom; the pseudonym is the name under which the audit log knew them."""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Entry
from monitord.audit.keys import Keys
from monitord.audit.log import AuditLog
from monitord.audit.observed import observe_since
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError
from monitord.store.turns import in_turn

OUTCOME = "erase outcome"
LISTED_MOST = 1_000

_C = tables.receipt.c

What = Literal["person", "number"]


class Receipt(Struct, frozen=True):
    id: str
    what: What
    pseudonyms: list[str]
    begun: int
    """ms UTC, as ``done``."""
    rows: dict[str, int]
    """By table."""
    audit: int
    done: int | None = None
    body: str | None = None
    """JSON, as it was signed; None while it is not done."""
    signature: str | None = None
    """Base64 of Ed25519 over the body's UTF-8."""


async def begin(
    connection: AsyncConnection,
    id_: str,
    what: What,
    names: list[str],
    rows: dict[str, int],
    n: int,
) -> Receipt:
    """In the transaction that erases. From its commit on the erasure is carried to its end."""
    receipt = Receipt(id_, what, names, time.time_ns() // 1_000_000, rows, n)
    row = msgspec.structs.asdict(receipt)
    row["pseudonyms"] = msgspec.json.encode(names).decode()
    row["rows"] = msgspec.json.encode(rows).decode()
    await connection.execute(insert(tables.receipt).values(row))
    return receipt


def new_id() -> str:
    return secrets.token_hex(10)


async def finish(engine: AsyncEngine, audit: AuditLog, receipt: Receipt) -> Receipt:
    """The rows are erased: destroy the keys, then say so in the audit log, and sign it. Doing it
    again does no harm.

    Raises:
        SQLAlchemyError, OSError: the next start does the rest.
    """
    async with in_turn(engine) as connection:
        # Nobody else seals anything meanwhile. What came since the rows were erased (a new call
        # of the same number) would be sealed for ever with the key that goes.
        await audit.keys.destroy(receipt.pseudonyms)
        await observe_since(audit, connection, receipt.audit, receipt.pseudonyms)
        done = time.time_ns() // 1_000_000
        entry = Entry(
            action=OUTCOME,
            target=receipt.id,
            plain={"what": receipt.what, "pseudonyms": receipt.pseudonyms, "rows": receipt.rows},
            about=receipt.audit,
        )
        (n,) = await audit.append(connection, [entry])
        body = _body(receipt, done, n, audit.keys)
        signature = audit.keys.sign(body.encode())
        change = update(tables.receipt).where(_C.id == receipt.id)
        await connection.execute(change.values(done=done, body=body, signature=signature))
    return msgspec.structs.replace(receipt, done=done, body=body, signature=signature)


def _body(receipt: Receipt, done: int, n: int, keys: Keys) -> str:
    facts = {
        "monitord": "receipt of an erasure",
        "receipt": receipt.id,
        "erased": receipt.what,
        "pseudonyms": receipt.pseudonyms,
        "begun": receipt.begun,
        "done": done,
        "rows": receipt.rows,
        "audit_rows": [receipt.audit, n],
        "keys": keys.id,
        "public": keys.public,
    }
    return msgspec.json.encode(facts).decode()


async def finish_all(engine: AsyncEngine, audit: AuditLog) -> int:
    """At a start: end the erasures that a stop of the daemon cut in two. Gives how many.

    Raises:
        SQLAlchemyError, OSError: they cannot be ended now.
    """
    async with engine.connect() as connection:
        some = select(tables.receipt).where(_C.done.is_(None)).order_by(_C.begun)
        left = [_receipt(row) for row in (await connection.execute(some)).mappings()]
    for receipt in left:
        await finish(engine, audit, receipt)
    return len(left)


class Receipts:
    """Every method raises ``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def listed(self) -> list[Receipt]:
        """The latest first."""
        order = (_C.begun.desc(), _C.id)
        return await self._read(select(tables.receipt).order_by(*order).limit(LISTED_MOST))

    async def find(self, id_: str) -> Receipt | None:
        found = await self._read(select(tables.receipt).where(_C.id == id_))
        return found[0] if found else None

    async def _read(self, statement: Any) -> list[Receipt]:
        try:
            async with self._engine.connect() as connection:
                return [_receipt(r) for r in (await connection.execute(statement)).mappings()]
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None


def _receipt(row: Any) -> Receipt:
    kept = {str(key): value for key, value in row.items()}
    kept["pseudonyms"] = msgspec.json.decode(kept["pseudonyms"])
    kept["rows"] = msgspec.json.decode(kept["rows"])
    return msgspec.convert(kept, Receipt)
