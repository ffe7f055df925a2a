"""Saved views: a name for some filters of a page, and which one they chose last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.errors import StoreError
from monitord.store.history import UnreadableError
from monitord.store.turns import in_turn

Alongside = Callable[[AsyncConnection], Awaitable[None]]

SHOWN_MOST = 1_000
"""Views that one person is offered; their own come first."""


class SavedView(Struct, frozen=True):
    id: str
    person: str
    """Whose it is."""
    page: str
    name: str
    filters: dict[str, str]
    """As the page's address has them."""
    shared: bool


class ViewStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, person: str) -> tuple[list[SavedView], dict[str, str]]:
        """Those that are theirs, then those that others share, by name; and their choice by page.

        Raises:
            UnreadableError: the database does not answer.
        """
        view, chosen = tables.saved_view, tables.chosen_view.c
        some = (
            select(view)
            .where(or_(view.c.person == person, view.c.shared))
            .order_by(view.c.person != person, view.c.name, view.c.id)
            .limit(SHOWN_MOST)
        )
        choice = select(chosen.page, chosen.view).where(chosen.person == person)
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(some)).mappings().all()
                choices = (await connection.execute(choice)).all()
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        return [_view(dict(row)) for row in rows], {row.page: row.view for row in choices}

    async def write(
        self,
        person: str,
        views: list[SavedView] | None,
        chosen: Mapping[Any, str] | None,
        alongside: Alongside,
    ) -> None:
        """Put these in the place of all that they had, and of their choice on those pages; None
        leaves it as it is. ``alongside`` writes in the same transaction.

        Raises:
            StoreError: nothing was written.
        """
        try:
            await uncut(self._write(person, views, chosen, alongside))
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(reason_of(error)) from None

    async def _write(
        self,
        person: str,
        views: list[SavedView] | None,
        chosen: Mapping[Any, str] | None,
        alongside: Alongside,
    ) -> None:
        view, choice = tables.saved_view, tables.chosen_view
        async with in_turn(self._engine) as connection:
            await alongside(connection)
            if views is not None:
                await connection.execute(delete(view).where(view.c.person == person))
                if views:
                    await connection.execute(insert(view), [_row(one) for one in views])
            if chosen is not None:
                await connection.execute(
                    delete(choice).where(choice.c.person == person, choice.c.page.in_(chosen))
                )
                if chosen:
                    rows = [{"person": person, "page": p, "view": v} for p, v in chosen.items()]
                    await connection.execute(insert(choice), rows)


def _row(view: SavedView) -> dict[str, Any]:
    return msgspec.structs.asdict(view) | {"filters": msgspec.json.encode(view.filters).decode()}


def _view(row: dict[Any, Any]) -> SavedView:
    kept = {str(name): value for name, value in row.items()}
    kept["filters"] = msgspec.json.decode(kept["filters"])
    return msgspec.convert(kept, SavedView, strict=False)
