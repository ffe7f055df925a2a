"""The start of a log: its first row, and the rows of versions that did not chain them."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.audit.filters import of_filters
from monitord.audit.keys import Keys
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.observed import ACTION, entry_of
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.rows import TABLE_OF, record_of
from monitord.store.turns import in_turn

BEGIN, NEW_KEYS = "begin log", "change keys"
CHUNK = 1000
_LEDGER = "audit.ledger_taken_over"

_OF_THINGS = frozenset(
    {
        *("disconnect", "disconnect outcome", "export", "export outcome", "import roster"),
        *("make token", "revoke token", "acknowledge alert", "attribute rows"),
        *("add team", "change team", "remove team"),
    }
)
"""Acts of old rows whose target is no person's. Of all others it is sealed."""


async def is_begun(engine: AsyncEngine) -> bool:
    """Whether there are rows, so that there must be keys."""
    async with engine.connect() as connection:
        return await connection.scalar(select(tables.audit.c.n).limit(1)) is not None


async def begin(engine: AsyncEngine, audit: AuditLog) -> None:
    """Once in the life of a database: the row that names the keys; then what stood there before.
    At each other start, that the keys are those that were named.

    Raises:
        AuditError: it cannot be written, or the keys are another log's.
    """
    try:
        async with in_turn(engine) as connection:
            named = await named_keys(connection)
            if named is None:
                await audit.append(connection, [_first(BEGIN, audit.keys)])
            elif named != audit.keys.id:
                raise AuditError(
                    f"the keys in {audit.keys.path} are not those of this audit log; put the right "
                    "ones back from their backup"
                )
        await _take_over(engine, audit)
        await _take_ledger_over(engine, audit)
    except (SQLAlchemyError, OSError) as error:
        raise AuditError(reason_of(error)) from None


async def named_keys(connection: AsyncConnection) -> str | None:
    """Id of the keys in use; None where the log has not begun."""
    c = tables.audit.c
    latest = select(c.body).where(c.action.in_((BEGIN, NEW_KEYS))).order_by(c.n.desc()).limit(1)
    body = await connection.scalar(latest)
    return None if body is None else str(msgspec.json.decode(body)["plain"]["keys"])


def _first(action: str, keys: Keys) -> Entry:
    return Entry(action=action, plain={"keys": keys.id, "public": keys.public})


async def _take_over(engine: AsyncEngine, audit: AuditLog) -> None:
    old, log = tables.audit_before, structlog.get_logger("audit")
    numbers: dict[int, int] = {}
    async with engine.connect() as connection:
        left = await connection.scalar(select(func.count()).select_from(old)) or 0
    if not left:
        return
    log.info("taking_rows_over", rows=left)
    # In one transaction: an outcome may stand far from the act that it names.
    async with in_turn(engine) as connection:
        last = 0
        while True:
            some = select(old).where(old.c.n > last).order_by(old.c.n).limit(CHUNK)
            rows = (await connection.execute(some)).mappings().all()
            if not rows:
                break
            for row in rows:
                about = numbers.get(row["about"]) if row["about"] is not None else None
                numbers[row["n"]] = (await audit.append(connection, [_entry(row, about)]))[0]
            last = rows[-1]["n"]
        await connection.execute(delete(old))
    log.info("rows_taken_over", rows=len(numbers))


async def _take_ledger_over(engine: AsyncEngine, audit: AuditLog) -> None:
    """Rows of the ledger from before the chain, so that from now on they cannot be changed
    unseen either. A stop in the middle goes on at the next start."""
    log = structlog.get_logger("audit")
    async with engine.connect() as connection:
        done = select(tables.setting.c.name).where(tables.setting.c.name == _LEDGER)
        if await connection.scalar(done) is not None:
            return
    for cls, action in ACTION.items():
        table, last, count = TABLE_OF[cls], "", 0
        while True:
            some = select(table).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
            async with in_turn(engine) as connection:
                rows = (await connection.execute(some)).mappings().all()
                records = [record_of(row, cls) for row in rows]
                known = set(
                    await connection.scalars(
                        select(tables.audit.c.target).where(
                            tables.audit.c.action == action,
                            tables.audit.c.target.in_([r.id for r in records]),
                        )
                    )
                )
                fresh = [entry_of(r) for r in records if r.id not in known]
                await audit.append(connection, [e for e in fresh if e is not None])
            count += len(rows)
            if len(rows) < CHUNK:
                break
            last = rows[-1]["id"]
        if count:
            log.info("ledger_taken_over", table=table.name, rows=count)
    async with in_turn(engine) as connection:
        await connection.execute(insert(tables.setting).values(name=_LEDGER, value="true"))


def _entry(row: Any, about: int | None) -> Entry:
    """An old row as it would be written today, as far as it tells whose its values are."""
    actor, action, target = row["actor_id"], row["action"], row["target"]
    detail: dict[str, Any] = msgspec.json.decode(row["detail"])
    plain: dict[str, Any] = {"taken_over": row["n"]}
    personal: list[Of] = []
    filters = detail.pop("filters", None)
    if isinstance(filters, dict):
        plain["filters"], whose = of_filters(filters)
        personal += whose
    for key in ("supervisor", "agent", "person"):
        party = detail.pop(key, None)
        person = party.get("id") if isinstance(party, dict) else party
        if person:
            personal.append(of_person(str(person), **{key: party}))
    if action in _OF_THINGS:
        owner = actor
    else:
        owner, detail["target"] = target, target
    if detail:
        personal.append(Of(detail, person=owner))
    return Entry(
        action=action,
        actor=Actor(actor, row["actor_name"]),
        target=target if action in _OF_THINGS else "",
        plain=plain,
        personal=tuple(personal),
        about=about,
        at=row["at"],
    )
