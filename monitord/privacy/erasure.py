"""Erasure of a person who has left, or of a customer's number.

In one transaction all rows of theirs become those of a pseudonym, and a receipt is begun. Then
their keys are destroyed, which makes what the audit log says of them unreadable, and the receipt is
signed. A stop before the commit has done nothing; one after it is made good by the next start
(``receipts.finish_all``), since the begun receipt is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.alerts.never import NeverMonitor
from monitord.alerts.watch import Watch
from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.audit.log import AuditLog
from monitord.audit.people import entries
from monitord.flags.board import Board
from monitord.people.attribution import Attribution
from monitord.people.people import People
from monitord.people.roster import Everybody
from monitord.people.seen import SeenEndpoints
from monitord.people.sessions import Sessions
from monitord.people.store import PeopleError, commit
from monitord.people.tokens import Tokens
from monitord.privacy import receipts
from monitord.privacy.blank import Blank
from monitord.privacy.erasing import CannotEraseError, erase_rows, refuse_held, refuse_running
from monitord.privacy.places import Subject, number_subject, person_subject, words_of
from monitord.privacy.receipts import Receipt
from monitord.privacy.rules import names_them
from monitord.store.engine import reason_of, uncut
from monitord.store.history import UnreadableError
from monitord.store.recorder import Recorder
from monitord.store.traces import sweep
from monitord.told.watch import Teller

SETTLE_S = 20.0
"""How long rows that are on their way are waited for."""


@dataclass(frozen=True, slots=True)
class Around:
    """What knows people besides the database."""

    people: People
    sessions: Sessions
    tokens: Tokens
    seen: SeenEndpoints
    recorder: Recorder
    alerts: Watch
    teller: Teller
    never: NeverMonitor
    attribution: Attribution
    flags: Board
    pbxs: Callable[[], Collection[str]]


class Eraser:
    def __init__(self, engine: AsyncEngine, audit: AuditLog, around: Around) -> None:
        self._engine, self._audit, self._around = engine, audit, around
        self._one = asyncio.Lock()
        self._blank = Blank()
        around.recorder.blank = self._blank
        self._log = structlog.get_logger("privacy")

    async def person(self, key: str, reason: str, actor: Actor) -> Receipt:
        """
        Raises:
            CannotEraseError: what stands in the way; nothing is changed.
            KeyError: there is nobody of that id.
            PeopleError: the database does not take it; nothing is changed.
        """
        around = self._around
        async with self._one:
            person = around.people.roster.people[key]
            if person.active:
                raise CannotEraseError("they have not left: take them off the active people first")
            await self._settled()
            subject = await self._looked(lambda c: person_subject(c, around.people.roster, key))
            account = around.people.by_person.get(key)
            logins = [account.login] if account is not None else []
            words = words_of(subject, logins)
            _check_reason(reason, words)
            work = _Work(self._audit, subject, reason, actor, self._blank, around.pbxs())

            def edit(old: Everybody) -> Everybody:
                if old.roster.people[key].active:
                    raise CannotEraseError("they have come back meanwhile")
                new, work.gone = _without(old, key)
                # Nothing is changed without a word: what they had is in the log, under their key.
                work.more = [
                    msgspec.structs.replace(entry, actor=actor) for entry in entries(old, new)
                ]
                return new

            async def all_of() -> Receipt:
                # Before the rows, so that a write of what was seen does not bring the name back.
                around.seen.forget_name(subject.name)
                try:
                    await around.people.change(edit, work)
                except BaseException:
                    work.take_back()
                    raise
                around.sessions.forget_all_of(key)
                around.tokens.forget_all_of(key)
                return await self._finish(work, [*subject.ids, subject.name, *logins])

            return await uncut(all_of())

    async def number(self, number: str, reason: str, actor: Actor) -> Receipt:
        """Raises: as :meth:`person`, without the KeyError."""
        async with self._one:
            await self._settled()
            subject = await self._looked(lambda c: number_subject(c, number))
            words = words_of(subject)
            _check_reason(reason, words)
            work = _Work(self._audit, subject, reason, actor, self._blank, self._around.pbxs())

            async def all_of() -> Receipt:
                try:
                    await commit(self._engine, work)
                except BaseException:
                    work.take_back()
                    raise
                return await self._finish(work, words)

            return await uncut(all_of())

    async def _settled(self) -> None:
        """What was seen and decided so far is in the database."""
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._around.attribution.settled()
                await self._around.recorder.settled()
        except TimeoutError:
            raise PeopleError("rows that wait to be written are not taken") from None

    async def _looked(self, look: Callable[[AsyncConnection], object]) -> Subject:
        try:
            async with self._engine.connect() as connection:
                subject = await look(connection)  # type: ignore[misc]
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(reason_of(error)) from None
        assert isinstance(subject, Subject)
        return subject

    async def _finish(self, work: _Work, words: Collection[str]) -> Receipt:
        self._around.alerts.rewrite(self._blank)
        self._around.teller.rewrite(self._blank)
        try:
            await self._around.never.again()
        except PeopleError as error:
            self._log.error("list_not_read_again", why=str(error))
        try:
            await self._around.flags.again()
        except UnreadableError as error:
            self._log.error("flags_not_read_again", why=str(error))
        receipt = work.receipt
        assert receipt is not None
        try:
            receipt = await receipts.finish(self._engine, self._audit, receipt)
        except (SQLAlchemyError, OSError) as error:
            # The next start ends it; until then it shows as begun.
            self._log.error("erasure_not_ended", receipt=receipt.id, why=reason_of(error))
        why = await sweep(self._engine, words)
        if why:
            self._log.error("erased_may_be_in_free_space", receipt=receipt.id, why=why)
        self._log.info("erased", what=receipt.what, receipt=receipt.id)
        return receipt


class _Work:
    """What is done inside the transaction."""

    def __init__(
        self,
        audit: AuditLog,
        subject: Subject,
        reason: str,
        actor: Actor,
        blank: Blank,
        pbxs: Collection[str],
    ) -> None:
        self._audit, self._subject = audit, subject
        self._reason, self._actor = reason, actor
        self._blank, self._pbxs = blank, pbxs
        self._names: dict[str, str] = {}
        self.more: list[Entry] = []
        self.gone: dict[str, int] = {}
        self.receipt: Receipt | None = None

    async def __call__(self, connection: AsyncConnection) -> None:
        subject = self._subject
        await refuse_running(connection, subject, self._pbxs)
        await refuse_held(connection, subject)
        numbers = () if subject.digits is None else (subject.digits,)
        people, named = await self._audit.keys.of(subject.ids, numbers)
        self._names = {key: name for key, (name, _) in (people | named).items()}
        for key in subject.left:
            if (name := self._audit.keys.pseudonym_of(key)) is not None:
                self._names[key] = name
        self._blank.add(self._names, time.time_ns() // 1_000_000)
        await self._audit.append(connection, self.more)
        rows = await erase_rows(connection, subject, self._names)
        # The roster's own rows went with its change, before this.
        rows |= {table: rows.get(table, 0) + n for table, n in self.gone.items() if n}
        what: receipts.What = "person" if subject.person is not None else "number"
        id_, names = receipts.new_id(), sorted(self._names.values())
        of = (
            of_person(subject.person, whom=subject.person)
            if subject.person is not None
            else Of({"whom": subject.digits}, number=subject.digits)
        )
        (n,) = await self._audit.append(
            connection,
            [
                Entry(
                    action="erase",
                    actor=self._actor,
                    target=id_,
                    plain={"what": what, "pseudonyms": names, "rows": rows},
                    personal=(of, Of({"reason": self._reason}, person=self._actor.id)),
                )
            ],
        )
        self.receipt = await receipts.begin(connection, id_, what, names, rows, n)

    def take_back(self) -> None:
        """Nothing was committed."""
        self._blank.take_back(self._names)


def _without(old: Everybody, key: str) -> tuple[Everybody, dict[str, int]]:
    """Everybody but one, who leads nobody any more; and how many rows that changes, by table."""
    led = {
        one: msgspec.structs.replace(person, leader=None)
        for one, person in old.roster.people.items()
        if person.leader == key and one != key
    }
    people = {one: p for one, p in {**old.roster.people, **led}.items() if one != key}
    owned = tuple(o for o in old.roster.owned if o.person != key)
    accounts = tuple(a for a in old.accounts if a.person != key)
    roster = msgspec.structs.replace(old.roster, people=people, owned=owned)
    return Everybody(roster, accounts), {
        "person": 1 + len(led),
        "role": len(old.roster.people[key].roles),
        "ownership": len(old.roster.owned) - len(owned),
        "credential": len(old.accounts) - len(accounts),
    }


def _check_reason(reason: str, words: Collection[str]) -> None:
    if names_them(reason, words):
        raise CannotEraseError("must not tell what is to be erased: it stays", "reason")
