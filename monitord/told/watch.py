"""Makes the notices: from the ledger's own records, in the transaction in which those are written.

So a kill at any moment leaves both or neither, and whatever page is open or closed plays no part:
a supervision that ended while the daemon was down gets its end when the ledger gives it one, and
the notice's end with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable

import structlog

from monitord.domain.ledger import (
    AskedRecord,
    CallRecord,
    NoticeRecord,
    OutgoingRecord,
    Record,
    SupervisionRecord,
)
from monitord.domain.views import Notice, Party
from monitord.live.hub import Hub
from monitord.outbox.post import Event, Post
from monitord.people.people import People
from monitord.store.history import UnreadableError
from monitord.told.reasons import ReasonStore
from monitord.told.rules import Policy, Says, call_ended, judge, tell, unfinished
from monitord.told.store import DUE_MOST, NoticeStore

SHOWN_MS = 10 * 60_000
"""How long after it was told as ended a notice stays on the stream."""

LOOK_S = 30.0
"""How often at least the clock is looked at, which somebody may set."""

RETRY_S = 5.0

EVENT: Event = "notice"


def wall() -> int:
    return time.time_ns() // 1_000_000


class Teller:
    def __init__(
        self,
        hub: Hub,
        people: People,
        notices: NoticeStore,
        reasons: ReasonStore,
        record: Callable[[list[Record]], None],
        policy: Policy,
        post: Post,
        posted: Callable[[], None] = lambda: None,
        clock: Callable[[], int] = wall,
    ) -> None:
        """``record`` takes rows for the ledger, and only queues. ``posted`` is called when rows
        for webhooks were committed otherwise."""
        self._hub, self._people = hub, people
        self.notices, self.reasons = notices, reasons
        self._record = record
        self._policy = policy
        self._post, self._posted = post, posted
        self._clock = clock
        self._open: dict[str, NoticeRecord] = {}
        """Those that are not finished: a record of the ledger is still to come for them."""
        self._shown: dict[str, NoticeRecord] = {}
        self._texts: dict[str, str] = {}
        """Reasons of those that are shown, and of what runs and may still be."""
        self._new_due = False
        """The time of a delayed one is known, but the database may not know it yet."""
        self._some = asyncio.Event()
        self._log = structlog.get_logger("told")

    def says(self, row: SupervisionRecord) -> Says:
        """What the policy says of a supervision at this moment."""
        return self._policy.says(self._team(row.agent_id), row.type)

    async def load(self) -> None:
        """What an earlier process left, before the first record comes.

        Raises:
            UnreadableError: the database does not answer.
        """
        now = self._clock()
        found = await self.notices.current(now - SHOWN_MS)
        await self._know_reasons(n for n in found if n.why)
        for notice in found:
            if unfinished(notice):
                self._open[notice.id] = notice
            self._show(notice, now)
        # The policy may be another one than that of the process before.
        more: list[Record] = []
        for row in await self.notices.running(self._hub.shards):
            more += self._judge(row, now)
        self._record(more)
        unknown = set(self._policy.teams) - set(self._people.roster.teams)
        if unknown:
            self._log.warning("policy_for_no_team", teams=sorted(unknown))

    def take(self, records: list[Record]) -> None:
        """Records of the hub on their way to the ledger; what follows from them goes along."""
        more: list[Record] = []
        try:
            more = self._following(records, self._clock())
        except Exception:
            self._log.exception("not_told")  # the ledger's own rows are written all the same
        self._record([*records, *more])

    def _following(self, records: list[Record], now: int) -> list[Record]:
        more: list[Record] = []
        for record in records:
            if isinstance(record, SupervisionRecord):
                more += self._judge(record, now)
                more += self._ask(record, now)
        for record in records:
            if isinstance(record, CallRecord) and record.ended is not None:
                more += self._call_ended(record.id, now)
        return more

    async def run(self) -> None:
        """Until cancelled."""
        stop = self._people.listen(self._look_again)
        self._look_again()
        try:
            while True:
                self._some.clear()
                try:
                    wait = await self._pass_time()
                except UnreadableError as error:
                    self._log.warning("notices_unreadable", why=str(error))
                    wait = RETRY_S
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._some.wait()
        finally:
            stop()

    def written(self, kinds: frozenset[type]) -> None:
        """Such records were committed."""
        if self._new_due and NoticeRecord in kinds:
            self._new_due = False
            self._some.set()

    def reason_given(self, supervision: str, text: str) -> None:
        """The supervisor has said why, perhaps not for the first time."""
        notice = self._shown.get(supervision)
        known = notice is not None or supervision in self._open
        if known or self._hub.supervision(supervision) is not None:
            self._texts[supervision] = text
        if notice is not None:
            self._show(notice, self._clock())
            self._hub.flush()

    def rewrite(self, change: Callable[[Record], Record]) -> None:
        """What is open and shown, as it is from now on: somebody was erased."""
        for held in (self._open, self._shown):
            for old in list(held.values()):
                new = change(old)
                if not isinstance(new, NoticeRecord) or new == old:
                    continue
                held[old.id] = new
                if new.supervisor_id != old.supervisor_id:
                    self._texts.pop(old.id, None)
                if held is self._shown:
                    self._hub.notice(new.id, self._view(new))
        self._hub.flush()

    def forget(self, supervisions: Collection[str]) -> None:
        """Their rows were removed by their age."""
        for key in supervisions:
            self._open.pop(key, None)

    # --- judging ---------------------------------------------------------------------------

    def _team(self, agent: str | None) -> str | None:
        person = self._people.roster.people.get(agent or "")
        return person.team if person is not None else None

    def _judge(self, row: SupervisionRecord, now: int) -> list[Record]:
        old, team = self._open.get(row.id), self._team(row.agent_id)
        over = self._is_over(row)
        notice = judge(old, row, team, self._policy, call_over=over, now=now)
        if notice is None and row.ended is not None:
            self._texts.pop(row.id, None)
        return [] if notice is None else self._keep(old, notice, now)

    def _is_over(self, row: SupervisionRecord | NoticeRecord) -> bool:
        """The call under it. While its PBX has not told what goes on there, nobody knows; a call
        that is found to have ended then tells so by its own row."""
        shard = self._hub.shards.get(row.pbx)
        if row.call is None or shard is None:
            return True
        return shard.synced and row.call not in shard.calls

    def _ask(self, row: SupervisionRecord, now: int) -> list[Record]:
        """Whoever the roster does not know cannot be asked."""
        known = row.supervisor_id in self._people.roster.people
        if row.ended is None or not known or self.says(row).ask == "never":
            return []
        return [AskedRecord(id=row.id, asked=now)]

    def _call_ended(self, call: str, now: int) -> list[Record]:
        more: list[Record] = []
        for old in [n for n in self._open.values() if n.call == call]:
            more += self._keep(old, call_ended(old, now), now)
        return more

    def _keep(self, old: NoticeRecord | None, notice: NoticeRecord, now: int) -> list[Record]:
        """What is to be written of it. Gives nothing where nothing is different."""
        if unfinished(notice):
            self._open[notice.id] = notice
        else:
            self._open.pop(notice.id, None)
            if notice.told_begun is None:
                self._texts.pop(notice.id, None)  # told later, or never
        if notice == old:
            return []
        if notice.told_begun is None and notice.due is not None:
            self._new_due = True
        self._show(notice, now)
        return [notice, *self._messages(old, notice, now)]

    def _messages(
        self, old: NoticeRecord | None, notice: NoticeRecord, now: int
    ) -> list[OutgoingRecord]:
        """For webhooks: at the start and at the end, or one where it is told only afterwards."""
        ended = notice.told_ended is not None and (old is None or old.told_ended is None)
        begun = notice.told_begun is not None and (old is None or old.told_begun is None)
        if not (begun or ended):
            return []
        what = "ended" if ended else "begun"
        data = {"told": what, "notice": self._view(notice)}
        return list(self._post.records(EVENT, f"{notice.id}.{what}", data, now))

    def _look_again(self) -> None:
        """Somebody's team, or whose an endpoint is, may have changed."""
        now, more = self._clock(), list[Record]()
        for shard in self._hub.shards.values():
            for supervision in shard.supervisions.values():
                if isinstance(supervision.record, SupervisionRecord):
                    more += self._judge(supervision.record, now)
        if more:
            self._record(more)
            self._hub.flush()

    # --- the clock -------------------------------------------------------------------------

    async def _pass_time(self) -> float:
        """Tell what is due. Gives the seconds until there may be something again."""
        now = self._clock()
        found = await self.notices.due(now)
        if found:
            await self._tell(found, now)
        more: list[Record] = []
        for old in [n for n in self._open.values() if n.ended is not None and self._is_over(n)]:
            more += self._keep(old, call_ended(old, now), now)
        if more:
            self._record(more)
        self._forget(now)
        self._hub.flush()
        due = await self.notices.next_due(now)
        times = [due] if due is not None else []
        times += [n.told_ended + SHOWN_MS for n in self._shown.values() if n.told_ended is not None]
        wait = min([LOOK_S, *((at - self._clock()) / 1000 for at in times)])
        return 0.0 if len(found) == DUE_MOST else max(0.1, wait)

    async def _tell(self, found: list[NoticeRecord], now: int) -> None:
        """Those whose time has come; no record of the ledger comes for them any more."""
        await self._know_reasons(n for n in found if n.why)
        told = [tell(old, now) for old in found]
        pairs = zip(found, told, strict=True)
        outgoing = [row for old, new in pairs for row in self._messages(old, new, now)]
        await self.notices.told(told, outgoing)
        for notice in told:
            self._show(notice, now)
        if outgoing:
            self._posted()

    async def _know_reasons(self, some: Iterable[NoticeRecord]) -> None:
        for of_it in (await self.reasons.of(n.id for n in some)).values():
            self._texts |= {r.supervision: r.text for r in of_it if r.act == "supervision"}

    # --- what is shown -----------------------------------------------------------------------

    def _show(self, notice: NoticeRecord, now: int) -> None:
        if notice.told_begun is None:
            return
        if notice.ended is None and notice.pbx not in self._hub.shards:
            return  # of a PBX that was taken out of the settings, so nobody knows
        if notice.told_ended is not None and notice.told_ended + SHOWN_MS <= now:
            return
        self._shown[notice.id] = notice
        self._hub.notice(notice.id, self._view(notice))

    def _forget(self, now: int) -> None:
        for notice in list(self._shown.values()):
            if notice.told_ended is not None and notice.told_ended + SHOWN_MS <= now:
                del self._shown[notice.id]
                self._texts.pop(notice.id, None)
                self._hub.notice(notice.id, None)

    def _view(self, notice: NoticeRecord) -> Notice:
        return notice_view(notice, self._texts.get(notice.id))


def notice_view(notice: NoticeRecord, reason: str | None) -> Notice:
    """As its agent may see it. ``reason``: what the supervisor gave, whoever may see it."""
    supervisor = Party(notice.supervisor_id, notice.supervisor_name, notice.supervisor_endpoint)
    return Notice(
        id=notice.id,
        pbx=notice.pbx,
        agent=Party(notice.agent_id, notice.agent_name, notice.agent_endpoint),
        supervisor=supervisor if notice.who else None,
        type=notice.type,
        at_least=notice.at_least,
        started=notice.started,
        started_exact=notice.started_exact,
        ended=notice.ended,
        ended_exact=notice.ended_exact,
        ended_after=notice.ended_after,
        reason=reason if notice.why else None,
        told=notice.told_begun or 0,
    )
