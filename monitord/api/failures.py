"""Sign-ins that failed, in the audit log.

Each is a row, with the login as it was tried: sealed with the key of the person whose it is, or of
nobody but that login. What the limits refuse, and what one address fails at beyond them, is
counted: a row for each minute and address, so that nobody can fill the log from outside.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from aiohttp import web

from monitord.api.edge import came
from monitord.api.keys import AUDIT
from monitord.api.problems import Refused
from monitord.audit.entry import Entry, of_person
from monitord.audit.log import AuditError, AuditLog
from monitord.people.tries import ADDRESS_TRIES

MINUTE_S = 60.0
ADDRESSES_MOST = 1_000
"""Addresses that are counted at a time; further ones are counted together."""

OTHERS = "others"

_NOT_WRITTEN = "nobody can sign in while the database cannot be written"


class Failures:
    def __init__(self, audit: AuditLog, minute_s: float = MINUTE_S) -> None:
        self._audit = audit
        self._minute_s = minute_s
        self._written: dict[str, int] = {}
        """Rows of this minute, by address."""
        self._counted: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def failed(self, address: str, how: str, login: str | None, person: str | None) -> None:
        """
        Raises:
            AuditError: it is not on disk.
        """
        self._tick()
        one = address if address in self._written or len(self._written) < ADDRESSES_MOST else OTHERS
        if self._written.get(one, 0) >= ADDRESS_TRIES:
            self.refused(address)
            return
        self._written[one] = self._written.get(one, 0) + 1
        if person is None:
            person = f"address:{address}" if login is None else f"login:{login.casefold()}"
        values = {"address": address} | ({} if login is None else {"login": login})
        entry = Entry(
            action="fail sign-in", plain={"how": how}, personal=(of_person(person, **values),)
        )
        await self._audit.write(entry)

    def refused(self, address: str) -> None:
        self._tick()
        if address not in self._counted and len(self._counted) >= ADDRESSES_MOST:
            address = OTHERS
        self._counted[address] = self._counted.get(address, 0) + 1

    def _tick(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._minute(), name="refused sign-ins")

    async def _minute(self) -> None:
        await asyncio.sleep(self._minute_s)
        await self.tell()

    async def tell(self) -> None:
        """Write down what was counted, and begin a new minute."""
        counted, self._counted, self._written = self._counted, {}, {}
        for address, tries in counted.items():
            entry = Entry(
                action="refuse sign-ins",
                plain={"tries": tries},
                personal=(of_person(f"address:{address}", address=address),),
            )
            try:
                await self._audit.write(entry)
            except AuditError as error:
                log = structlog.get_logger("sign-in")
                log.error("refused_sign_ins_not_written", tries=tries, why=str(error))

    async def finish(self) -> None:
        """At the daemon's stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.tell()


FAILURES = web.AppKey("failures", Failures)


def set_up(app: web.Application) -> None:
    app[FAILURES] = Failures(app[AUDIT])
    app.on_cleanup.append(_finish)


async def _finish(app: web.Application) -> None:
    await app[FAILURES].finish()


async def failed(
    request: web.Request, how: str, login: str | None = None, person: str | None = None
) -> None:
    """
    Raises:
        Refused: it could not be written down.
    """
    try:
        await request.app[FAILURES].failed(came(request).address, how, login, person)
    except AuditError as error:
        structlog.get_logger("sign-in").error("failure_not_written", why=str(error))
        raise Refused(503, _NOT_WRITTEN) from None


def refused(request: web.Request) -> None:
    request.app[FAILURES].refused(came(request).address)
