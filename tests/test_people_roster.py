"""The roster: whose an endpoint is when, who reaches whom, what is refused, and that it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.people import rules
from monitord.people.bootstrap import First, bootstrap
from monitord.people.people import EMPTY, People
from monitord.people.permissions import GRANTS, MEANING, OF_TYPE, UNSCOPED, Role, Scope
from monitord.people.roster import (
    EVERYBODY,
    Account,
    Everybody,
    Given,
    Ownership,
    Person,
    Roster,
    Team,
)
from monitord.people.rules import RosterError
from monitord.people.store import PeopleStore
from monitord.people.words import Cadence
from monitord.store.engine import open_store, sqlite_url

SALES, CARE = Team("sales", "Sales", Cadence.MONTHLY), Team("care", "Care")


def person(name: str, team: str = "sales", *roles: Role, **more: object) -> Person:
    given = tuple(Given(r) for r in roles)
    return Person(name, name.title(), team, roles=given, **more)  # type: ignore[arg-type]


def roster(*people: Person, owned: tuple[Ownership, ...] = ()) -> Roster:
    return Roster({p.id: p for p in people}, {"sales": SALES, "care": CARE}, owned)


LED = roster(
    person("sue", "sales", Role.SUPERVISOR),
    person("ann"),
    person("bob", "care", leader="sue"),
    person("cat", "care"),
    person("max", "care", Role.ADMINISTRATOR),
)


def test_a_scope_reaches_whom_it_says() -> None:
    sue = LED.people["sue"]
    assert LED.within(sue, Scope.ALL) == EVERYBODY
    assert LED.within(sue, Scope.TEAM).people == {"sue", "ann", "bob"}
    assert LED.within(sue, Scope.REPORTS).people == {"sue", "bob"}
    assert LED.within(sue, Scope.SELF).people == {"sue"}
    assert None not in LED.within(sue, Scope.TEAM) and None in EVERYBODY


def test_rights_come_from_roles_and_end_with_them() -> None:
    rights = LED.rights_of("sue")
    assert "ann" in rights.on("supervision.coach") and "cat" not in rights.on("supervision.coach")
    assert not rights.may("rights.edit") and not rights.on("roster.edit")
    assert LED.rights_of("ann").permissions == () == LED.rights_of("nobody").permissions
    gone = roster(msgspec.structs.replace(LED.people["sue"], active=False))
    assert gone.rights_of("sue").permissions == ()
    narrow = LED.rights_of("sue", frozenset({"agent.see", "rights.edit"}))
    assert narrow.permissions == ("agent.see",)


def test_a_role_given_for_all_reaches_all_and_roles_add_up() -> None:
    both = Person(
        "eve", "Eve", "care", roles=(Given(Role.AGENT), Given(Role.SUPERVISOR, Scope.REPORTS))
    )
    wide = Person("kim", "Kim", "care", roles=(Given(Role.SUPERVISOR, Scope.ALL),))
    some = roster(both, wide, person("joe", "sales", leader="eve"))
    assert some.rights_of("eve").on("call.see").people == {"eve", "joe"}
    assert some.rights_of("kim").on("call.see") == EVERYBODY


def test_the_table_is_whole() -> None:
    """Each permission means something and is somebody's; no right to an act hides in another."""
    granted = {p for grants in GRANTS.values() for p in grants}
    assert granted == set(MEANING) and set(GRANTS) == set(Role) and granted > UNSCOPED
    acts = set(OF_TYPE.values()) - {"supervision.monitor"}
    assert not acts & set(GRANTS[Role.QA_MANAGER])
    assert not any(p.startswith("supervision.") for p in GRANTS[Role.AGENT])


def test_an_endpoint_changes_hands() -> None:
    owned = (
        Ownership("1", "PJSIP/1001", "ann", 0, 1000),
        Ownership("2", "PJSIP/1001", "cat", 1000),
        Ownership("3", "PJSIP/1002", "cat", 500, 700),
    )
    some = roster(*LED.people.values(), owned=owned)
    rules.check(some)

    def of(wall: int) -> dict[str, tuple[str, ...]]:
        return {p.id: p.endpoints for p in some.known(wall) if p.endpoints}

    assert of(0) == {"ann": ("PJSIP/1001",)}
    assert of(600) == {"ann": ("PJSIP/1001",), "cat": ("PJSIP/1002",)}
    assert of(1000) == {"cat": ("PJSIP/1001",)}
    assert [some.next_change(t) for t in (0, 500, 700, 1000)] == [500, 700, 1000, None]


@pytest.mark.parametrize(
    ("spoilt", "field", "rule"),
    [
        (roster(person("a b")), "id", "letters"),
        (roster(Person("a", " ")), "name", "1 to 100"),
        (roster(Person("a", "A\n")), "name", "control"),
        (roster(person("a", "none")), "team", "no team"),
        (roster(person("a", leader="x")), "leader", "nobody"),
        (roster(person("a", leader="b"), person("b", leader="a")), "leader", "own leader"),
        (roster(person("a", hired="31.3.2026")), "hired", "2026-03-31"),
        (roster(person("a", "sales", Role.AGENT, Role.AGENT)), "roles", "2 times"),
        (
            roster(person("a", account_codes=("7",)), person("b", account_codes=("7",))),
            "account_codes",
            "2 people",
        ),
        (roster(person("a"), owned=(Ownership("1", "1001", "a", 0),)), "endpoint", "PJSIP/1001"),
        (roster(owned=(Ownership("1", "PJSIP/1", "a", 0),)), "endpoint", "nobody"),
        (roster(person("a"), owned=(Ownership("1", "PJSIP/1", "a", 9, 9),)), "until", "after"),
        (
            roster(
                person("a"),
                person("b"),
                owned=(Ownership("1", "PJSIP/1", "a", 0), Ownership("2", "PJSIP/1", "b", 9)),
            ),
            "endpoint",
            "both a's and b's",
        ),
    ],
)
def test_refused(spoilt: Roster, field: str, rule: str) -> None:
    with pytest.raises(RosterError, match=rule) as refused:
        rules.check(spoilt)
    assert refused.value.field == field


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    yield engine
    await engine.dispose()


async def test_what_is_changed_is_kept(engine: AsyncEngine) -> None:
    store = PeopleStore(engine)
    people = People(store, await store.load())
    heard: list[int] = []
    people.listen(lambda: heard.append(1))
    owned = (Ownership("1", "PJSIP/1001", "ann", 5, 9),)
    full = msgspec.structs.replace(
        LED.people["ann"],
        account_codes=("7", "8"),
        hired="2026-03-31",
        cadence=Cadence.WEEKLY,
        roles=(Given(Role.AGENT), Given(Role.SUPERVISOR, Scope.REPORTS)),
    )
    some = roster(*[*LED.people.values(), full], owned=owned)
    accounts = (Account("max", "max", "hash"), Account("sue", "sue", None, "https://i|s"))
    await people.change(lambda old: Everybody(some, accounts))
    assert await store.load() == people.everybody and heard == [1]
    assert people.roster.people["ann"] == full
    less = roster(LED.people["max"], LED.people["sue"])
    await people.change(lambda old: Everybody(less, accounts[:1]))
    assert await store.load() == people.everybody
    assert people.roster.people.keys() == {"max", "sue"}


async def test_a_change_that_breaks_a_rule_changes_nothing(engine: AsyncEngine) -> None:
    store = PeopleStore(engine)
    people = People(store, EMPTY)
    accounts = (Account("max", "max", "hash"), Account("sue", "sue", "hash"))
    await people.change(lambda old: Everybody(LED, accounts))
    before = people.everybody
    for accounts_now, field in (
        (accounts[1:], "roles"),  # nobody could give roles any more
        ((*accounts, Account("ann", "MAX")), "login"),
        ((*accounts, Account("nobody", "x")), "login"),
    ):
        with pytest.raises(RosterError) as refused:
            await people.change(lambda old, some=accounts_now: Everybody(LED, some))  # type: ignore[misc]
        assert refused.value.field == field
        assert people.everybody is before and await store.load() == before


async def test_the_settings_count_once(engine: AsyncEngine) -> None:
    store = PeopleStore(engine)
    people = People(store, await store.load())
    first = [First(person("ann"), ("PJSIP/1001",), "ann", "hash"), First(person("max", "care"))]
    assert await bootstrap(people, store, first, at=1)
    assert people.roster.known(0)[0].endpoints == ("PJSIP/1001",)
    await people.change(lambda old: EMPTY)
    again = People(store, await store.load())
    assert not await bootstrap(again, store, first, at=2)
    assert again.roster.people == {}


names = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def rosters(draw: st.DrawFn) -> Everybody:
    people = {}
    for name in draw(st.sets(names)):
        roles = draw(st.sets(st.sampled_from(list(Role)), max_size=2))
        scope = draw(st.sampled_from([None, *Scope]))
        people[name] = Person(
            name,
            draw(st.sampled_from(["Ann", "Bob"])),
            draw(st.sampled_from([None, "sales", "care"])),
            roles=tuple(Given(r, scope) for r in sorted(roles)),
            active=draw(st.booleans()),
        )
    owned = tuple(
        Ownership(f"o{n}", f"PJSIP/{n}", draw(st.sampled_from(sorted(people))), n)
        for n in range(draw(st.integers(0, 3)) if people else 0)
    )
    accounts = tuple(Account(p, p.upper(), None) for p in sorted(people) if draw(st.booleans()))
    return Everybody(
        Roster(dict(sorted(people.items())), {"sales": SALES, "care": CARE}, owned), accounts
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(rosters(), min_size=2, max_size=4))
async def test_any_change_is_kept_whole(
    tmp_path_factory: pytest.TempPathFactory, seen: list[Everybody]
) -> None:
    engine = await open_store(sqlite_url(tmp_path_factory.mktemp("r") / "m.sqlite3"))
    store = PeopleStore(engine)
    before = Everybody(Roster({}, {}))
    for after in seen:
        await store.save(before, after)
        loaded = await store.load()
        accounts = tuple(sorted(after.accounts, key=lambda a: a.person))
        assert loaded == Everybody(after.roster, accounts)
        before = after
    await engine.dispose()
