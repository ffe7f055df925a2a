"""Signing in: passwords against their hashes, and the sessions of those who are in."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from monitord.people.permissions import GRANTS, Permission, Role

SESSION_S = 12 * 3600
"""A working day; after that the password is asked for again."""

SESSIONS_MOST = 10_000
HASHING_MOST = 2
"""Passwords verified at a time: each takes 64 MB and most of a core for some 50 ms."""

TRIES, TRIES_S = 10, 60.0
"""Failed tries that one address may make in that many seconds, for any login. Bound to the
address and not to the login, so that nobody can lock a colleague out."""

ADDRESSES_MOST = 10_000

PASSWORD_MOST = 1024
"""Characters; the API takes no more either."""

_hasher = PasswordHasher()
_HASH = re.compile(r"\$argon2id\$v=19\$m=\d{1,8},t=\d{1,3},p=\d{1,3}(\$[A-Za-z0-9+/]{11,86}){2}")


class TooManyTriesError(Exception):
    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many failed tries; wait {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    id: str
    name: str
    login: str
    password_hash: str
    role: Role

    @property
    def permissions(self) -> frozenset[Permission]:
        return GRANTS.get(self.role, frozenset())


@dataclass(slots=True)
class Session:
    account: Account
    expires: float
    """Monotonic seconds."""


def hash_password(password: str) -> str:
    """For the settings file."""
    return _hasher.hash(password)


def is_hash(text: str) -> bool:
    """Whether it is whole (a part lost in copying would only show when nobody can sign in) and
    of a cost that this machine can bear."""
    if not _HASH.fullmatch(text):
        return False
    try:
        found = extract_parameters(text)
    except (InvalidHashError, ValueError):
        return False
    return (
        found.hash_len == _hasher.hash_len
        and found.memory_cost <= 1 << 20
        and found.time_cost <= 20
        and 1 <= found.parallelism <= 16
    )


class SignIn:
    """Sessions live in memory: a restart of the daemon asks everybody for the password again."""

    def __init__(
        self, accounts: Iterable[Account], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accounts = {a.login: a for a in accounts}
        self._sessions: dict[bytes, Session] = {}
        self._failed: dict[str, list[float]] = {}
        self._hashing = asyncio.Semaphore(HASHING_MOST)
        self._clock = clock
        # Verified for a login that does not exist, so that the time does not tell which do.
        self._nobody = _hasher.hash(secrets.token_hex(8))
        self._on_end: dict[bytes, list[Callable[[], None]]] = {}

    async def sign_in(self, login: str, password: str, address: str) -> tuple[str, Account] | None:
        """A new session's token and its account, None where login or password is wrong.

        Raises:
            TooManyTriesError: this address has to wait.
        """
        # Counted before it is known to fail, so that a burst of tries is bounded as well.
        self._check_tries(address)
        tried = self._clock()
        self._failed.setdefault(address, []).append(tried)
        account = self._accounts.get(login)
        hashed = account.password_hash if account is not None else self._nobody
        async with self._hashing:
            right = await asyncio.to_thread(_verify, hashed, password)
        if account is None or not right:
            return None
        # Only this try: somebody's own password must not buy new tries at another's.
        if tried in (tries := self._failed.get(address, [])):
            tries.remove(tried)
        self._drop_expired()
        token = secrets.token_urlsafe(32)
        self._sessions[_key(token)] = Session(account, self._clock() + SESSION_S)
        return token, account

    def account(self, token: str) -> Account | None:
        """Whose session it is, None where there is none (any more)."""
        session = self._sessions.get(_key(token))
        if session is None or session.expires <= self._clock():
            return None
        return session.account

    def sign_out(self, token: str) -> None:
        self._end(_key(token))

    def on_end(self, token: str, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` when the session is signed out, at once where it is already. Gives the function
        that takes this back."""
        key = _key(token)
        if key not in self._sessions:
            call()
            return lambda: None
        calls = self._on_end.setdefault(key, [])
        calls.append(call)

        def forget() -> None:
            if call in calls:
                calls.remove(call)
            if not calls and self._on_end.get(key) is calls:
                del self._on_end[key]

        return forget

    def _end(self, key: bytes) -> None:
        self._sessions.pop(key, None)
        for call in self._on_end.pop(key, []):
            call()

    def _drop_expired(self) -> None:
        now = self._clock()
        for key in [k for k, s in self._sessions.items() if s.expires <= now]:
            self._end(key)
        while len(self._sessions) >= SESSIONS_MOST:
            self._end(next(iter(self._sessions)))

    def _check_tries(self, address: str) -> None:
        now = self._clock()
        recent = [t for t in self._failed.get(address, []) if now - t < TRIES_S]
        if recent:
            self._failed[address] = recent
        else:
            self._failed.pop(address, None)
        if len(self._failed) > ADDRESSES_MOST:
            del self._failed[next(iter(self._failed))]
        if len(recent) >= TRIES:
            raise TooManyTriesError(TRIES_S - (now - recent[0]))


def _key(token: str) -> bytes:
    """Only a digest is kept, so that a memory dump holds no usable token."""
    # A cookie's bytes need not be UTF-8.
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
