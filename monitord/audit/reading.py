"""The audit log as it can be read: rows with what their keys still open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.audit.chain import Row
from monitord.audit.entry import merge
from monitord.audit.keys import unseal
from monitord.audit.observed import ACTION, RECORD
from monitord.domain.ledger import SegmentRecord
from monitord.store import tables

C = tables.audit.c


class Body(Struct, frozen=True):
    plain: dict[str, Any]
    sealed: dict[str, str]


class Opened(Struct, frozen=True):
    """A row, opened as far as the keys are there."""

    row: Row
    actor_id: str | None
    """None: monitord itself, or somebody erased."""
    actor_name: str | None
    target: str
    detail: dict[str, Any]
    erased: tuple[str, ...]
    """Pseudonyms of those whose values cannot be read any more."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which rows; what is None does not matter."""

    begin: int | None = None
    end: int | None = None
    actions: Sequence[str] | None = None
    actor: str | None = None
    """Pseudonym, as are the next two."""
    person: str | None = None
    """Who did it or whom it concerns."""
    number: str | None = None
    target: str | None = None
    targets: Sequence[str] | None = None
    before: int | None = None
    """Rows with a smaller number."""
    after: int | None = None
    folded: bool = False
    """Of all that was observed of one thing only the last, and no parts of a supervision."""
    bounded: bool = False
    """``before`` and ``after`` bound its time as well."""


async def bounded(connection: AsyncConnection, wanted: Wanted) -> Wanted:
    """The same rows, with bounds of their numbers instead of a look through all of their time.

    No row is further behind an earlier one than ``back``. So a row before ``end`` comes before any
    row that is at or after ``end + back``, and a row since ``begin`` comes after any that is before
    ``begin - back``.
    """
    if wanted.begin is None and wanted.end is None:
        return wanted
    back = await connection.scalar(select(tables.audit_clock.c.back)) or 0
    before, after = wanted.before, wanted.after
    if wanted.end is not None:
        first = select(C.n).where(C.at >= wanted.end + back).order_by(C.at).limit(1)
        n = await connection.scalar(first)
        before = before if n is None else min(n, before or n)
    if wanted.begin is not None:
        last = select(C.n).where(C.at < wanted.begin - back).order_by(C.at.desc()).limit(1)
        n = await connection.scalar(last)
        after = after if n is None else max(n, after or n)
    return msgspec.structs.replace(wanted, before=before, after=after, bounded=True)


def where(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    at = C.at + 0 if wanted.bounded else C.at  # no index of the time: they come by their numbers
    if wanted.begin is not None:
        found.append(at >= wanted.begin)
    if wanted.end is not None:
        found.append(at < wanted.end)
    if wanted.actions is not None:
        found.append(C.action.in_(wanted.actions))
    if wanted.actor is not None:
        found.append(C.actor == wanted.actor)
    if wanted.person is not None:
        found.append(or_(C.actor == wanted.person, C.subject == wanted.person))
    if wanted.number is not None:
        found.append(C.number == wanted.number)
    if wanted.target is not None:
        found.append(C.target == wanted.target)
    if wanted.targets is not None:
        found.append(C.target.in_(wanted.targets))
    if wanted.before is not None:
        found.append(C.n < wanted.before)
    if wanted.after is not None:
        found.append(C.n > wanted.after)
    if wanted.folded:
        found += _folded(wanted.end)
    return found


def _folded(end: int | None) -> list[ColumnElement[bool]]:
    later = tables.audit.alias("later")
    superseded = exists().where(
        later.c.target == C.target,
        later.c.n > C.n,
        not_by_index(later.c.action) == C.action,
    )
    if end is not None:
        # As it stood then; what was seen afterwards is not asked about.
        superseded = superseded.where(later.c.at < end)
    part = ACTION[SegmentRecord]
    return [C.action != part, or_(C.action.not_in(tuple(RECORD)), ~superseded)]


def not_by_index(action: Any) -> ColumnElement[str]:
    """A target has few rows, an action perhaps most of them: which SQLite cannot know."""
    return func.coalesce(action, "")


def last_of(targets: Sequence[str], action: str) -> Select[Any]:
    """The number of the last row of that kind about each of them."""
    wanted = C.target.in_(targets), not_by_index(C.action) == action
    return select(func.max(C.n)).where(*wanted).group_by(C.target)


def statement(wanted: Wanted, limit: int, *but: str) -> Select[Any]:
    """The newest ones, those first; ``but`` are actions that are left out."""
    if wanted.actions is None or (wanted.actor, wanted.person, wanted.number) != (None, None, None):
        some = select(tables.audit).where(*where(wanted), C.action.not_in(but))
        return some.order_by(C.n.desc()).limit(limit)
    # Of one action the index has them in their order; of several, all would have to be sorted.
    each = [
        select(C.n)
        .where(*where(msgspec.structs.replace(wanted, actions=[action])))
        .order_by(C.n.desc())
        .limit(limit)
        .subquery()
        for action in wanted.actions
        if action not in but
    ]
    newest = union_all(*(select(one.c.n) for one in each)).subquery()
    of_all = select(newest.c.n).order_by(newest.c.n.desc()).limit(limit).subquery()
    return select(tables.audit).where(C.n.in_(select(of_all.c.n))).order_by(C.n.desc())


def row_from(mapping: Any) -> Row:
    return msgspec.convert({str(k): v for k, v in mapping.items()}, Row)


async def rows(connection: AsyncConnection, chosen: Select[Any]) -> list[Row]:
    return [row_from(r) for r in (await connection.execute(chosen)).mappings()]


Veil = Callable[[str], str]
"""What is shown of a customer's number."""


class Opener(Protocol):
    """What has the keys, or some of them."""

    async def keys_of(self, pseudonyms: Iterable[str]) -> dict[str, bytes]:
        """As ``Keys`` has it."""


async def opened(keys: Opener, some: Iterable[Row], veil: Veil | None = None) -> list[Opened]:
    """``veil``: for whoever may not see numbers whole."""
    some = list(some)
    bodies = [msgspec.json.decode(row.body, type=Body) for row in some]
    held = await keys.keys_of(name for body in bodies for name in body.sealed)
    return [_opened(row, body, held, veil) for row, body in zip(some, bodies, strict=True)]


def _opened(row: Row, body: Body, held: dict[str, bytes], veil: Veil | None) -> Opened:
    detail: dict[str, Any] = {}
    merge(detail, body.plain)
    erased: list[str] = []
    actor_id = actor_name = None
    for name, sealed in body.sealed.items():
        values = unseal(name, held.get(name), sealed)
        if values is None:
            erased.append(name)
            continue
        if name == row.actor:
            actor_id, actor_name = values.pop("actor_id", None), values.pop("actor_name", None)
        if veil is not None and name.startswith("n"):
            values = _veiled(values, veil)
        merge(detail, values)
    target = detail.pop("target", row.target)
    return Opened(row, actor_id, actor_name, target, detail, tuple(erased))


def _veiled(value: Any, veil: Veil) -> Any:
    """All texts that are a number's own, under whatever name."""
    if isinstance(value, dict):
        return {key: _veiled(inner, veil) for key, inner in value.items()}
    if isinstance(value, list):
        return [_veiled(inner, veil) for inner in value]
    return veil(value) if isinstance(value, str) else value
