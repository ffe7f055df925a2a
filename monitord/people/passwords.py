"""Passwords against their hashes (argon2id)."""

from __future__ import annotations

import asyncio
import re
import secrets
from functools import cache

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

HASHING_MOST = 2
"""Passwords verified at a time: each takes 64 MB and most of a core for some 50 ms."""

PASSWORD_LEAST, PASSWORD_MOST = 12, 1024
"""Characters; the API takes no more either."""

DIFFERENT_LEAST = 5
"""Different characters in a password."""

RULES = (
    f"{PASSWORD_LEAST} to {PASSWORD_MOST} characters, at least {DIFFERENT_LEAST} different ones, "
    "and not the login in it"
)
"""For people, before they choose one. No rule asks for digits or signs: length is what counts
(NIST SP 800-63B, 3.1.1.2)."""

_hasher = PasswordHasher()
_HASH = re.compile(r"\$argon2id\$v=19\$m=\d{1,8},t=\d{1,3},p=\d{1,3}(\$[A-Za-z0-9+/]{11,86}){2}")


class BadPasswordError(ValueError):
    """With the rule that the new password breaks."""


def check_new(password: str, login: str) -> None:
    """
    Raises:
        BadPasswordError: it is no password to begin with.
    """
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise BadPasswordError(f"must be {PASSWORD_LEAST} to {PASSWORD_MOST} characters long")
    if len(set(password)) < DIFFERENT_LEAST:
        raise BadPasswordError(f"must have at least {DIFFERENT_LEAST} different characters")
    # A login of one or two letters is in many a good password.
    if len(login) > 2 and login.casefold() in password.casefold():
        raise BadPasswordError("must not have the login in it")


def hash_password(password: str) -> str:
    """As it is kept. Takes some 50 ms."""
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


@cache
def _nobodys() -> str:
    """Verified for a login that does not exist, so that the time does not tell which do."""
    return _hasher.hash(secrets.token_hex(8))


class Verifier:
    """Verifies without blocking the loop, and not more at a time than the machine can bear."""

    def __init__(self) -> None:
        self._hashing = asyncio.Semaphore(HASHING_MOST)
        self._nobody = _nobodys()

    async def right(self, hashed: str | None, password: str) -> bool:
        """``hashed`` None: false, after as long as it takes otherwise."""
        async with self._hashing:
            right = await asyncio.to_thread(_verify, hashed or self._nobody, password)
        return right and hashed is not None

    async def hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(hash_password, password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
