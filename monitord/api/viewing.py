"""Each view of history, and of the audit log itself, is in the audit log before it is answered.

A page asks the same again and again: somebody's same question within a minute is one row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from monitord.api.keys import AUDIT, WHO
from monitord.api.problems import Refused
from monitord.audit.entry import Actor, Entry
from monitord.audit.filters import of_filters
from monitord.audit.log import AuditError, AuditLog
from monitord.people.signin import Who

SAME_S = 60.0
KEPT_MOST = 20_000
"""Questions that are remembered; the oldest is forgotten first, and then written again."""

HISTORY, LOG = "view history", "view audit log"

_Question = tuple[str, str, str, frozenset[tuple[str, str]]]


class Viewings:
    """Which questions were written down within the last minute."""

    def __init__(self, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._asked: dict[_Question, tuple[float, asyncio.Task[int]]] = {}

    async def write(self, who: Who, action: str, target: str, filters: Mapping[str, str]) -> None:
        """
        Raises:
            AuditError: it is not on disk, so nothing may be shown.
        """
        question = (who.id, action, target, frozenset(filters.items()))
        now = self._clock()
        found = self._asked.get(question)
        if found is None or now - found[0] >= SAME_S:
            plain, personal = of_filters(filters)
            entry = Entry(
                action=action,
                actor=Actor(who.id, who.name),
                target=target,
                plain={"filters": plain} | ({"token": who.token} if who.token else {}),
                personal=personal,
            )
            found = now, asyncio.create_task(self._audit.write(entry))
            self._asked.pop(question, None)  # so that the oldest stand first
            self._asked[question] = found
            self._forget(now)
        try:
            # Also whoever asks the same meanwhile gets no answer before it is on disk.
            await asyncio.shield(found[1])
        except AuditError:
            if self._asked.get(question) == found:
                del self._asked[question]
            raise

    def _forget(self, now: float) -> None:
        while self._asked:
            question, (at, _) = next(iter(self._asked.items()))
            if now - at < SAME_S and len(self._asked) <= KEPT_MOST:
                return
            del self._asked[question]


VIEWINGS = web.AppKey("viewings", Viewings)


def set_up(app: web.Application) -> None:
    app[VIEWINGS] = Viewings(app[AUDIT])


async def viewed(
    request: web.Request, target: str, filters: Mapping[str, str], action: str = HISTORY
) -> None:
    """``target``: what is shown, such as the ledger, or the id of a supervision.

    Raises:
        Refused: it cannot be written down, so it is not shown.
    """
    try:
        await request.app[VIEWINGS].write(request[WHO], action, target, filters)
    except AuditError:
        raise Refused(
            503, "this cannot be shown while the audit log cannot be written; try again later"
        ) from None
