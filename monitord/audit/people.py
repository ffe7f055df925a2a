"""What a change of people leaves in the audit log, found by comparing them before and after, so
that nothing can be changed without a word. No password, and no digest of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.audit.entry import Entry, Of, of_person
from monitord.audit.log import AuditLog
from monitord.people.attribution import Claim
from monitord.people.editing import changes, moves
from monitord.people.roster import Everybody, Person

ROWS = "attribute rows"

NAMED_MOST = 100
"""Endpoints that the audit row of attributed rows names."""


def entries(old: Everybody, new: Everybody) -> Iterator[Entry]:
    yield from _teams(old, new)
    for key, person in new.roster.people.items():
        before = old.roster.people.get(key)
        if before != person:
            yield from _person(before, person)
    for key in old.roster.people.keys() - new.roster.people.keys():
        yield Entry(action="remove person", personal=(of_person(key, target=key),))
    for move in moves(old.roster, new.roster):
        move["target"] = move.pop("endpoint")
        yield Entry(action="change endpoint", personal=(Of(move, person=str(move["person"])),))
    yield from _accounts(old, new)


def _teams(old: Everybody, new: Everybody) -> Iterator[Entry]:
    for key, team in new.roster.teams.items():
        before = old.roster.teams.get(key)
        if before != team:
            yield Entry(
                action="add team" if before is None else "change team",
                target=key,
                plain={"changed": changes(before, team)},
            )
    for key in old.roster.teams.keys() - new.roster.teams.keys():
        yield Entry(action="remove team", target=key)


def _person(before: Person | None, person: Person) -> Iterator[Entry]:
    changed = changes(before, person)
    roles = changed.pop("roles", None)
    led = changed.pop("leader", None)
    if before is None or changed or led is not None:
        # Who leads somebody is a value of the leader's as well: each has their own.
        leaders = zip(("leader_was", "leader_is"), led or (), strict=False)
        yield Entry(
            action="add person" if before is None else "change person",
            personal=(
                of_person(person.id, target=person.id, changed=changed),
                *(of_person(leader, **{name: leader}) for name, leader in leaders if leader),
            ),
        )
    if roles is not None and (before is not None or person.roles):
        given = {"target": person.id, "was": roles[0], "is": roles[1]}
        yield Entry(action="give roles", personal=(Of(given, person=person.id),))


def _accounts(old: Everybody, new: Everybody) -> Iterator[Entry]:
    before = {a.person: a for a in old.accounts}
    after = {a.person: a for a in new.accounts}
    for person in dict.fromkeys([*before, *after]):
        was, now = before.get(person), after.get(person)
        if was != now:
            detail: dict[str, Any] = {
                "was": None if was is None else was.login,
                "is": None if now is None else now.login,
            }
            if was is not None and now is not None and was.password_hash != now.password_hash:
                detail["password_is_new"] = True
            detail["target"] = person
            yield Entry(action="change login", personal=(Of(detail, person=person),))


def attributed(some: list[Claim], counts: dict[str, int]) -> Entry:
    """Rows of the ledgers became somebody's; ``counts`` by kind of row."""
    named = list(dict.fromkeys((c.endpoint, c.person) for c in some))
    whose: dict[str, list[str]] = {}
    for endpoint, person in named[:NAMED_MOST]:
        whose.setdefault(person, []).append(endpoint)
    return Entry(
        action=ROWS,
        target="ledgers",
        plain={"rows": counts, "of_endpoints": len(named)},
        personal=tuple(of_person(p, endpoints=endpoints) for p, endpoints in whose.items()),
    )


def attribution(
    audit: AuditLog,
) -> Callable[[AsyncConnection, list[Claim], dict[str, int]], Awaitable[None]]:
    """The same, where the daemon does it later by itself."""

    async def write(connection: AsyncConnection, some: list[Claim], counts: dict[str, int]) -> None:
        await audit.append(connection, [attributed(some, counts)])

    return write
