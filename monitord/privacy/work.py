"""What the daemon has of this room."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.audit.keys import Keys
from monitord.audit.log import AuditLog
from monitord.people.roster import Roster
from monitord.privacy.erasure import Around, Eraser
from monitord.privacy.holds import Holds
from monitord.privacy.places import Subject, number_subject, person_subject
from monitord.privacy.receipts import Receipts
from monitord.privacy.retention import Retention
from monitord.privacy.rules import Keep


@dataclass(frozen=True, slots=True)
class Privacy:
    engine: AsyncEngine
    keys: Keys
    holds: Holds
    receipts: Receipts
    retention: Retention
    eraser: Eraser

    async def look(self, roster: Roster, person: str | None, number: str | None) -> Subject:
        """Whom an export is of: somebody on the roster, or a number.

        Raises:
            SQLAlchemyError, OSError: the database does not answer.
        """
        async with self.engine.connect() as connection:
            if person is not None:
                found = await person_subject(connection, roster, person)
            else:
                found = await number_subject(connection, number or "")
        names = [n for key in found.ids if (n := self.keys.pseudonym_of(key)) is not None]
        if found.digits is not None:
            names.append(self.keys.number(found.digits))
        return msgspec.structs.replace(found, pseudonyms=tuple(names))


def _both(around: Around) -> Callable[[Collection[str]], None]:
    def forget(supervisions: Collection[str]) -> None:
        around.alerts.forget(supervisions)
        around.teller.forget(supervisions)

    return forget


def privacy_of(engine: AsyncEngine, audit: AuditLog, keep: Keep, around: Around) -> Privacy:
    return Privacy(
        engine=engine,
        keys=audit.keys,
        holds=Holds(engine, audit),
        receipts=Receipts(engine),
        retention=Retention(engine, audit, keep, _both(around)),
        eraser=Eraser(engine, audit, around),
    )
