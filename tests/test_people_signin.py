"""Signing in: bounds, sessions and their end."""

from __future__ import annotations

import asyncio

import pytest

from monitord.people import signin
from monitord.people.permissions import Role
from monitord.people.signin import (
    SESSION_S,
    TRIES,
    TRIES_S,
    Account,
    SignIn,
    TooManyTriesError,
    is_hash,
)
from tests.kit.daemon import PASSWORD, password_hash


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(clock: Clock) -> SignIn:
    accounts = [
        Account(name, name.title(), name, password_hash(), Role.VIEWER) for name in ("ina", "eve")
    ]
    return SignIn(accounts, clock)


async def test_a_session_and_its_end(people: SignIn, clock: Clock) -> None:
    got = await people.sign_in("ina", PASSWORD, "here")
    assert got is not None
    token, account = got
    assert people.account(token) is account and account.permissions == {
        "history.export",
        "supervision.see",
    }
    assert people.account("x") is None and people.account("\udcff") is None
    ended: list[int] = []
    people.on_end(token, lambda: ended.append(1))
    people.on_end(token, lambda: ended.append(2))()
    clock.now += SESSION_S - 1
    assert people.account(token) is account
    clock.now += 1
    assert people.account(token) is None
    people.sign_out(token)
    assert ended == [1], "who took it back is not called"
    people.on_end(token, lambda: ended.append(3))
    assert ended == [1, 3], "too late, so at once"
    assert not people._on_end and not people._sessions


@pytest.mark.parametrize("login", ["ina", "nobody"])
async def test_a_wrong_password_and_no_such_login_cost_the_same(
    login: str, people: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    real = signin._verify

    def verify(hashed: str, password: str) -> bool:
        verified.append(hashed.rsplit("$", 2)[0])
        return real(hashed, password)

    monkeypatch.setattr(signin, "_verify", verify)
    assert await people.sign_in(login, "wrong", "here") is None
    assert verified == [password_hash().rsplit("$", 2)[0]], "one verification of the same cost"


async def test_a_burst_is_bounded_per_address(people: SignIn, clock: Clock) -> None:
    tries = [people.sign_in(f"x{n}", "wrong", "there") for n in range(TRIES * 3)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert answers.count(None) == TRIES
    assert sum(isinstance(a, TooManyTriesError) for a in answers) == TRIES * 2
    with pytest.raises(TooManyTriesError):
        await people.sign_in("ina", PASSWORD, "there")
    assert await people.sign_in("ina", PASSWORD, "elsewhere") is not None
    clock.now += TRIES_S
    assert await people.sign_in("ina", PASSWORD, "there") is not None


async def test_the_own_password_buys_no_tries_at_anothers(people: SignIn) -> None:
    for _ in range(TRIES - 1):
        assert await people.sign_in("ina", "wrong", "there") is None
    assert await people.sign_in("eve", PASSWORD, "there") is not None
    assert await people.sign_in("ina", "wrong", "there") is None
    with pytest.raises(TooManyTriesError):
        await people.sign_in("ina", "wrong", "there")


async def test_a_shift_behind_one_address_gets_in(people: SignIn) -> None:
    for _ in range(TRIES + 2):
        assert await people.sign_in("ina", PASSWORD, "nat") is not None


async def test_addresses_and_sessions_are_bounded(
    people: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "ADDRESSES_MOST", 3)
    monkeypatch.setattr(signin, "SESSIONS_MOST", 2)
    monkeypatch.setattr(signin, "_verify", lambda hashed, password: password == "right")
    for n in range(9):
        await people.sign_in("ina", "wrong", f"address {n}")
    assert len(people._failed) <= 4
    for _ in range(5):
        await people.sign_in("ina", "right", "here")
    assert len(people._sessions) == 2


@pytest.mark.parametrize(
    "text, good",
    [
        pytest.param(password_hash(), True, id="ours"),
        pytest.param("", False, id="empty"),
        pytest.param("$argon2id$v=19$m=a,t=b,p=c$x$y", False, id="no-numbers"),
        pytest.param(password_hash().replace("argon2id", "argon2i"), False, id="weaker-kind"),
        pytest.param(password_hash() + "\n", False, id="line-break"),
        pytest.param(password_hash()[:-1], False, id="cut-short"),
    ],
)
def test_is_hash(text: str, good: bool) -> None:
    assert is_hash(text) is good
