"""Bounds on wrong passwords that cannot be used to keep a colleague out.

Three bounds, after OWASP's device cookies. One address may fail so often, for whatever login. One
login may be tried so often by browsers that nobody has signed in with as that login; these are
locked together when it is too much, and only these. A browser that has signed in as a login
before proves so by its device cookie and has a bound of its own: who guesses from elsewhere
does not lock it out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

ADDRESS_TRIES, ADDRESS_S = 10, 60.0
"""Failed tries that one address may make in that many seconds, for any login."""

STRANGERS_TRIES, STRANGERS_S = 20, 900.0
"""The same for one login, by all browsers that are strangers to it."""

DEVICE_TRIES, DEVICE_S = 10, 60.0
"""The same for one browser that has signed in as that login before."""

KEPT_MOST = 20_000
"""Bounds that are remembered; the oldest is forgotten first."""


class TooManyTriesError(Exception):
    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many failed tries; wait {wait_s:.0f} s")
        self.wait_s = wait_s


Bound = tuple[tuple[str, str], int, float]
"""What it counts, how many there may be, in how many seconds."""


def _of_address(address: str) -> Bound:
    return ("address", address), ADDRESS_TRIES, ADDRESS_S


class Tries:
    def __init__(self, secret: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        """``secret`` signs the device cookies; a new one makes all browsers strangers."""
        self._secret = secret
        self._clock = clock
        self._failed: dict[tuple[str, str], list[float]] = {}

    def device_cookie(self, login: str) -> str:
        """For a browser that has just signed in as ``login``."""
        nonce = secrets.token_urlsafe(12)
        return f"{nonce}.{self._signature(nonce, login)}"

    def knows(self, cookie: str, login: str) -> bool:
        """Whether the browser has signed in as ``login`` before."""
        nonce, _, signature = cookie.partition(".")
        right = self._signature(nonce, login)
        return hmac.compare_digest(signature.encode(errors="replace"), right.encode())

    def _signature(self, nonce: str, login: str) -> str:
        text = f"{nonce}\x1f{login.casefold()}".encode(errors="surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def begin(self, login: str, address: str, cookie: str) -> Try:
        """Counted before it is known to fail, so that a burst of tries is bounded as well.

        Raises:
            TooManyTriesError: this one has to wait.
        """
        login = login.casefold()
        bounds = [_of_address(address)]
        if cookie and self.knows(cookie, login):
            bounds.append((("device", cookie), DEVICE_TRIES, DEVICE_S))
        else:
            bounds.append((("login", login), STRANGERS_TRIES, STRANGERS_S))
        return self._begin(bounds)

    def begin_link(self, address: str) -> Try:
        """The same for what names no login, such as a one-time link.

        Raises:
            TooManyTriesError: this one has to wait.
        """
        return self._begin([_of_address(address)])

    def _begin(self, bounds: list[Bound]) -> Try:
        now = self._clock()
        for key, most, seconds in bounds:
            recent = [t for t in self._failed.get(key, []) if now - t < seconds]
            if len(recent) >= most:
                raise TooManyTriesError(seconds - (now - recent[0]))
        for key, _, seconds in bounds:
            recent = [t for t in self._failed.pop(key, []) if now - t < seconds]
            self._failed[key] = [*recent, now]
        while len(self._failed) > KEPT_MOST:
            del self._failed[next(iter(self._failed))]
        return Try(self, [key for key, _, _ in bounds], now)

    def take_back(self, keys: list[tuple[str, str]], at: float) -> None:
        for key in keys:
            times = self._failed.get(key, [])
            if at in times:
                times.remove(at)
            if not times:
                self._failed.pop(key, None)


class Try:
    """One, counted as failed until it succeeds."""

    def __init__(self, tries: Tries, keys: list[tuple[str, str]], at: float) -> None:
        self._tries, self._keys, self._at = tries, keys, at

    def succeeded(self) -> None:
        """Only this one is taken back: somebody's own password must not buy new tries at
        another's."""
        self._tries.take_back(self._keys, self._at)
