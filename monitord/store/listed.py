"""Rows of a list of people, newest first, without walking through everybody's.

An index of (person, start, id) gives one person's rows in their order, but not the rows of some
hundred people: those would all be read and sorted for one page. So first a time is found, by short
looks into that index, since which there are enough rows; only what is not older is read and sorted.

The list itself is one parameter, however long it is: neither database takes 40,000 of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ScalarSelect,
    Select,
    TableValuedAlias,
    func,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from monitord.store.text import Text

_DEEPER = 8
"""By how much the looks go deeper, one after the other."""


class _Elements(FunctionElement[Any]):
    """The texts of a JSON list as rows; both databases call the column ``value``."""

    name = "elements"
    inherit_cache = True


@compiles(_Elements, "sqlite")
def _on_sqlite(element: _Elements, compiler: Any, **given: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **given)})"


@compiles(_Elements, "postgresql")
def _on_postgresql(element: _Elements, compiler: Any, **given: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **given)} AS json))"


def listed(people: Iterable[str]) -> TableValuedAlias:
    """A table with the column ``value``."""
    given = literal(json.dumps(sorted(people)), Text)
    return _Elements(given).table_valued(Column("value", Text))


def nth_newest(
    column: Column[Any], some: TableValuedAlias, where: list[ColumnElement[Any]], n: int
) -> ScalarSelect[Any]:
    """Start of the n-th newest row (from 1) of the person in ``some``; NULL where there are
    fewer."""
    c = column.table.c
    return (
        select(c.started)
        .where(column == some.c.value, *where)
        .order_by(c.started.desc(), c.id.desc())
        .limit(1)
        .offset(n - 1)
        .correlate(some)
        .scalar_subquery()
    )


def since(
    column: Column[Any], people: frozenset[str], where: list[ColumnElement[Any]], wanted: int
) -> Select[Any]:
    """Times since which these people have at least ``wanted`` rows, or NULL: the latest of them is
    what is looked for. Where m people have d rows each since a time, there are m times d."""
    times = []
    deep = -(-wanted // max(1, len(people)))
    while True:
        some = listed(people)
        start = nth_newest(column, some, where, deep)
        starts = select(start.label("at")).select_from(some).subquery()
        times.append(
            select(starts.c.at)
            .order_by(starts.c.at.desc().nulls_last())
            .limit(1)
            .offset(-(-wanted // deep) - 1)
            .scalar_subquery()
        )
        if deep == wanted:
            return select(*times)
        deep = min(deep * _DEEPER, wanted)


def newest_of_each(
    column: Column[Any], people: frozenset[str], each: int
) -> tuple[Select[Any], Select[Any]]:
    """The newest rows of each person, without columns yet, and how many people have more."""
    some = listed(people)
    table = column.table
    first = func.coalesce(nth_newest(column, some, [], each), 0)
    rows = select().select_from(some.join(table, column == some.c.value))
    others = listed(people)
    more = nth_newest(column, others, [], each + 1)
    return (
        rows.where(table.c.started >= first),
        select(func.count()).select_from(others).where(more.is_not(None)),
    )
