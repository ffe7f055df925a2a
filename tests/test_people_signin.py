"""Signing in: passwords, bounds that keep no colleague out, sessions and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.people import passwords, sessions, tries
from monitord.people.passwords import is_hash
from monitord.people.people import People
from monitord.people.permissions import Role
from monitord.people.roster import Account, Everybody, Given, Person, Roster
from monitord.people.sessions import OF_ONE_MOST, SESSION_S, Sessions
from monitord.people.signin import SignIn
from monitord.people.store import PeopleStore
from monitord.people.tokens import Tokens
from monitord.people.tries import (
    ADDRESS_S,
    ADDRESS_TRIES,
    DEVICE_TRIES,
    STRANGERS_S,
    STRANGERS_TRIES,
    TooManyTriesError,
    Tries,
)
from monitord.store.engine import open_store, sqlite_url
from tests.kit.daemon import PASSWORD, dear_password_hash


class Clock:
    now = 1_700_000_000.0

    def s(self) -> float:
        return self.now

    def ms(self) -> int:
        return round(self.now * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    yield engine
    await engine.dispose()


def everybody() -> Everybody:
    people = {
        name: Person(name, name.title(), roles=(Given(Role.QA_MANAGER),))
        for name in ("ina", "eve", "old")
    }
    people["old"] = Person("old", "Old", roles=(Given(Role.QA_MANAGER),), active=False)
    accounts = [Account(name, name, dear_password_hash()) for name in people]
    return Everybody(Roster(people, {}), (*accounts,))


@pytest.fixture
def into(engine: AsyncEngine, clock: Clock) -> SignIn:
    people = People(PeopleStore(engine), everybody())
    return SignIn(
        people, Sessions(engine, clock.ms), Tries(b"secret", clock.s), Tokens(engine, clock.ms)
    )


async def test_a_session_and_its_end(into: SignIn, clock: Clock) -> None:
    assert await into.password("INA", PASSWORD, "here", "") is not None, "logins have no case"
    held = into.sessions
    token = await held.begin("ina", "password", "here", "Firefox")
    who = into.who(token)
    assert who is not None and (who.id, who.name) == ("ina", "Ina")
    assert who.rights.may("supervision.see") and not who.rights.may("supervision.disconnect")
    assert into.who("") is None and into.who("x") is None and into.who("\udcff") is None
    ended: list[int] = []
    key = who.session or ""
    held.on_end(key, lambda: ended.append(1))
    held.on_end(key, lambda: ended.append(2))()
    clock.now += SESSION_S - 1
    assert into.who(token) is not None
    clock.now += 1
    assert into.who(token) is None and held.of() == []
    await held.end([key])
    assert ended == [1], "who took it back is not called"
    held.on_end(key, lambda: ended.append(3))
    assert ended == [1, 3], "too late, so at once"
    assert not held._ends and not held._sessions


async def test_sessions_outlive_the_process(engine: AsyncEngine, clock: Clock) -> None:
    first = Sessions(engine, clock.ms)
    tokens = [await first.begin("ina", "password", "here", "Firefox") for _ in range(3)]
    found = first.find(tokens[0])
    assert found is not None
    await first.end([found.key])
    clock.now += 3600
    first.find(tokens[1])
    await first.keep_up()
    second = Sessions(engine, clock.ms)
    await second.load()
    assert [second.find(t) is not None for t in tokens] == [False, True, True]
    assert {s.seen == clock.ms() for s in first.of()} == {True, False}
    clock.now += SESSION_S
    await second.keep_up()
    third = Sessions(engine, clock.ms)
    await third.load()
    assert third.of() == []


async def test_the_database_holds_no_usable_token(engine: AsyncEngine, tmp_path: Path) -> None:
    held = Sessions(engine)
    token = await held.begin("ina", "password", "here", "Firefox")
    await engine.dispose()
    for path in tmp_path.iterdir():
        assert token.encode() not in path.read_bytes()


async def test_who_has_left_is_out_at_once(into: SignIn) -> None:
    assert await into.password("old", PASSWORD, "here", "") is None
    token = await into.sessions.begin("old", "password", "here", "")
    assert into.who(token) is None


@pytest.mark.parametrize("login", ["ina", "nobody"])
async def test_a_wrong_password_and_no_such_login_cost_the_same(
    login: str, into: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    real = passwords._verify

    def verify(hashed: str, password: str) -> bool:
        verified.append(hashed.rsplit("$", 2)[0])
        return real(hashed, password)

    monkeypatch.setattr(passwords, "_verify", verify)
    assert await into.password(login, "wrong", "here", "") is None
    assert verified == [dear_password_hash().rsplit("$", 2)[0]], "one verification of the same cost"


async def test_a_burst_is_bounded_per_address(into: SignIn, clock: Clock) -> None:
    many = [into.password(f"x{n}", "wrong", "there", "") for n in range(ADDRESS_TRIES * 3)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert answers.count(None) == ADDRESS_TRIES
    assert sum(isinstance(a, TooManyTriesError) for a in answers) == ADDRESS_TRIES * 2
    with pytest.raises(TooManyTriesError):
        await into.password("ina", PASSWORD, "there", "")
    assert await into.password("ina", PASSWORD, "elsewhere", "") is not None
    clock.now += ADDRESS_S
    assert await into.password("ina", PASSWORD, "there", "") is not None


def fail(some: Tries, login: str, address: str, device: str = "") -> None:
    some.begin(login, address, device)


def test_strangers_cannot_lock_a_known_browser_out(clock: Clock) -> None:
    some = Tries(b"secret", clock.s)
    device = some.device_cookie("ina")
    for n in range(STRANGERS_TRIES):
        fail(some, "ina", f"address {n}")
    with pytest.raises(TooManyTriesError):
        fail(some, "Ina", "another address")
    some.begin("ina", "her own", device).succeeded()
    with pytest.raises(TooManyTriesError):
        fail(some, "ina", "hers", some.device_cookie("eve"))
    with pytest.raises(TooManyTriesError):
        fail(some, "ina", "hers", Tries(b"another", clock.s).device_cookie("ina"))
    clock.now += STRANGERS_S
    fail(some, "ina", "another address")


def test_a_known_browser_is_bounded_as_well(clock: Clock) -> None:
    some = Tries(b"secret", clock.s)
    device = some.device_cookie("ina")
    for n in range(DEVICE_TRIES):
        fail(some, "ina", f"address {n}", device)
    with pytest.raises(TooManyTriesError):
        fail(some, "ina", "address x", device)


async def test_the_own_password_buys_no_tries_at_anothers(into: SignIn) -> None:
    for _ in range(ADDRESS_TRIES - 1):
        assert await into.password("ina", "wrong", "there", "") is None
    assert await into.password("eve", PASSWORD, "there", "") is not None
    assert await into.password("ina", "wrong", "there", "") is None
    with pytest.raises(TooManyTriesError):
        await into.password("ina", "wrong", "there", "")


async def test_a_shift_behind_one_address_gets_in(into: SignIn) -> None:
    for _ in range(ADDRESS_TRIES + 2):
        assert await into.password("ina", PASSWORD, "nat", "") is not None


async def test_what_is_remembered_is_bounded(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "KEPT_MOST", 6)
    some = Tries(b"secret", clock.s)
    for n in range(50):
        fail(some, f"login {n}", f"address {n}")
    assert len(some._failed) <= 6
    monkeypatch.setattr(sessions, "SESSIONS_MOST", 60)
    held = Sessions(engine, clock.ms)
    ended: list[int] = []
    token = await held.begin("ina", "password", "here", "")
    held.on_end(sessions.key_of(token), lambda: ended.append(1))
    for _ in range(OF_ONE_MOST):
        await held.begin("ina", "password", "here", "x" * 5000)
    assert len(held.of("ina")) == OF_ONE_MOST and ended == [1]
    for n in range(20):
        await held.begin(f"p{n}", "password", "here", "")
    assert len(held.of()) == 60


@pytest.mark.parametrize(
    "text, good",
    [
        pytest.param(dear_password_hash(), True, id="ours"),
        pytest.param("", False, id="empty"),
        pytest.param("$argon2id$v=19$m=a,t=b,p=c$x$y", False, id="no-numbers"),
        pytest.param(dear_password_hash().replace("argon2id", "argon2i"), False, id="weaker-kind"),
        pytest.param(dear_password_hash() + "\n", False, id="line-break"),
        pytest.param(dear_password_hash()[:-1], False, id="cut-short"),
    ],
)
def test_is_hash(text: str, good: bool) -> None:
    assert is_hash(text) is good
