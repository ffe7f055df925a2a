"""Tickets: one for each play, so that the audit log has a row for a play and not for each range
that a browser fetches."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from msgspec import Struct

LASTS_S = 3600.0
TICKETS_MOST = 5_000
"""The oldest is forgotten first; its player asks for another one."""


class Ticket(Struct, frozen=True):
    session: str
    """Key of the session that asked for it; nobody else can use it."""
    recording: str
    until: float


class Plays:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}

    def begin(self, session: str, recording: str) -> str:
        now = self._clock()
        while self._tickets:
            first = next(iter(self._tickets))
            if len(self._tickets) < TICKETS_MOST and self._tickets[first].until > now:
                break
            del self._tickets[first]
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = Ticket(session, recording, now + LASTS_S)
        return ticket

    def fits(self, ticket: str, session: str, recording: str) -> bool:
        found = self._tickets.get(ticket)
        return (
            found is not None
            and found.until > self._clock()
            and (found.session, found.recording) == (session, recording)
        )
