"""Watches every supervision, every change of people and of the list of those whom nobody may listen
to; raises alerts and has ended what the site wants ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

import msgspec
import structlog

from monitord.alerts.never import NeverMonitor
from monitord.alerts.rules import Finding, Policy, alert_id, judge, open_question
from monitord.alerts.store import SHOWN_MOST, AlertStore
from monitord.alerts.views import alert_view, heard_by
from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.log import AuditLog
from monitord.domain.ledger import AlertRecord, Record
from monitord.domain.state import Shard, Supervision
from monitord.domain.views import Call, Pbx
from monitord.domain.views import Supervision as View
from monitord.domain.words import AlertAct, AlertKind, LinkState
from monitord.live.hub import Frame, Hub
from monitord.people.people import People

SETTLE_S = 5.0
"""How long a type or an agent that is not known yet is waited for before it is judged so."""

HURRY_S = 0.5
"""The same where the supervision is to be ended whatever its type is: an answer that comes at all
is there long before."""

End = Callable[[str, bool], Awaitable[tuple[bool, str]]]
"""Ends a supervision as Disconnect User does, given its id and whether the customer may be dropped
with it. Gives whether Asterisk has confirmed it, and why not, in plain words."""

_JUDGED = float("inf")

_WOULD_DROP = (
    "The supervisor has taken the call over, so ending it would drop the customer as well."
)
_STOPPED = "monitord was stopped meanwhile."


class Watch:
    def __init__(
        self,
        hub: Hub,
        people: People,
        store: AlertStore,
        audit: AuditLog,
        record: Callable[[list[Record]], None],
        policy: Policy,
        never: NeverMonitor,
        *,
        settle_s: float = SETTLE_S,
    ) -> None:
        """``record`` takes rows for the ledger, and only queues."""
        self._hub, self._people = hub, people
        self.store, self._audit = store, audit
        self._record = record
        self._policy, self._never = policy, never
        self._settle_s = settle_s
        self._shown: dict[str, AlertRecord] = {}
        self._raised: dict[str, set[str]] = {}
        """Ids of all alerts of a supervision that runs, those no longer shown included."""
        self._settling: dict[tuple[str, AlertKind], float] = {}
        """Supervisions and what is wrong with an open question, and until when (monotonic) it is
        waited for."""
        self._dirty: set[str] = set()
        self._some = asyncio.Event()
        self._acknowledging = asyncio.Lock()
        self._log = structlog.get_logger("alerts")

    async def load(self) -> None:
        """What was raised before this start.

        Raises:
            UnreadableError: the database does not answer.
        """
        for row in await self.store.current():
            self._raised.setdefault(row.supervision, set()).add(row.id)
            if row.done is AlertAct.ENDING:
                row = msgspec.structs.replace(row, done=AlertAct.NOT_ENDED, done_why=_STOPPED)
                self._record([row])
            self._show(row)

    async def run(self, end: End) -> None:
        """Until cancelled."""
        changed = self._look_at_all
        stops = [
            self._hub.listen(self._look),
            self._people.listen(changed),
            self._never.listen(changed),
        ]
        self._look_at_all()
        try:
            async with asyncio.TaskGroup() as ends:
                while True:
                    await self._wait()
                    some, self._dirty = self._dirty, set()
                    for supervision_id in some:
                        for row in self._judge(supervision_id):
                            if row.done is AlertAct.ENDING:
                                ends.create_task(self._end(row, end))
                    self._hub.flush()
        finally:
            for stop in stops:
                stop()

    async def acknowledge(self, row: AlertRecord, by: str, name: str) -> AlertRecord | None:
        """Somebody has taken note of it; None where somebody had already.

        Raises:
            AuditError: it could not be written to the audit log, so it is not done.
        """
        async with self._acknowledging:
            row = self._shown.get(row.id) or await self.store.find(row.id) or row
            if row.acknowledged is not None:
                return None
            agent = () if row.agent_id is None else (of_person(row.agent_id, agent=row.agent_id),)
            await self._audit.write(
                Entry(
                    action="acknowledge alert",
                    actor=Actor(by, name),
                    target=row.id,
                    plain={
                        "supervision": row.supervision,
                        "kind": row.kind,
                        "type": row.type,
                    },
                    personal=(of_person(row.supervisor_id, supervisor=row.supervisor_id), *agent),
                )
            )
            # It may have become another one while the audit row was written.
            row = msgspec.structs.replace(
                self._shown.get(row.id, row),
                acknowledged=_now(),
                acknowledged_by_id=by,
                acknowledged_by_name=name,
            )
            self._record([row])
            if row.id in self._shown:
                self._show(row)
                self._hub.flush()
            return row

    def shown(self, alert_id: str) -> AlertRecord | None:
        """As it is now, which the ledger may learn a moment later."""
        return self._shown.get(alert_id)

    def rewrite(self, change: Callable[[Record], Record]) -> None:
        """What is shown, as it is from now on: somebody was erased."""
        for row in list(self._shown.values()):
            new = change(row)
            if isinstance(new, AlertRecord) and new != row:
                self._shown[row.id] = new
                self._hub.alert(row.id, alert_view(new))
        self._hub.flush()

    def forget(self, supervisions: Collection[str]) -> None:
        """Show no more of supervisions whose rows were removed by their age."""
        for row in [r for r in self._shown.values() if r.supervision in supervisions]:
            self._hide(row.id)
        self._hub.flush()

    # --- what is to be looked at -----------------------------------------------------------

    def _look(self, frame: Frame) -> None:
        for change in frame.changes:
            old, new = change.old, change.new
            if change.kind == "supervision":
                if not (isinstance(old, View) and isinstance(new, View)) or _asks(old) != _asks(
                    new
                ):
                    self._dirty.add(change.id)
            elif isinstance(new, Call):
                # Its number, or who takes part in it.
                call = self._hub.shards[new.pbx].calls.get(new.id)
                self._dirty.update(call.watchers if call is not None else ())
            elif isinstance(new, Pbx) and new.link is LinkState.LIVE:
                self._look_at_all()  # it was not live before, or is another boot
        if self._dirty:
            self._some.set()

    def _look_at_all(self) -> None:
        """Also at what has alerts and may be gone."""
        for shard in self._hub.shards.values():
            self._dirty.update(shard.supervisions)
        # At the start a supervision that goes on is in no shard until its PBX has told what it has.
        if all(shard.synced for shard in self._hub.shards.values()):
            self._dirty.update(self._raised)
        self._some.set()

    async def _wait(self) -> None:
        waiting = [until for until in self._settling.values() if until != _JUDGED]
        timeout = max(0.0, min(waiting) - time.monotonic()) if waiting else None
        try:
            async with asyncio.timeout(timeout):
                await self._some.wait()
        except TimeoutError:
            self._dirty.update(supervision for supervision, _ in self._settling)
        self._some.clear()

    # --- judging ---------------------------------------------------------------------------

    def _judge(self, supervision_id: str) -> list[AlertRecord]:
        """The alerts that were raised now."""
        found = self._hub.supervision(supervision_id)
        if found is None:
            self._over(supervision_id)
            return []
        shard, supervision = found
        view = supervision.view
        if view is None or shard.link is not LinkState.LIVE:
            self._forget(supervision_id, set(AlertKind))
            return []  # looked at again when the PBX is attached and all of it was read
        person = self._people.roster.people.get(view.supervisor.id)
        rights = self._people.rights(view.supervisor.id)
        findings = judge(view, person, rights, heard_by(shard, view), self._never.listing)
        self._forget(supervision_id, set(AlertKind) - {f.kind for f in findings})
        rows: list[AlertRecord] = []
        for finding in findings:
            if not self._settled(view, finding):
                continue
            new_id = alert_id(supervision_id, finding)
            raised = self._raised.setdefault(supervision_id, set())
            if new_id not in raised:
                raised.add(new_id)
                rows.append(self._raise(new_id, shard, supervision, view, finding))
        return rows

    def _settled(self, view: View, finding: Finding) -> bool:
        key = (view.id, finding.kind)
        if not open_question(view, finding.kind):
            self._settling.pop(key, None)
            return True
        now = time.monotonic()
        hurry = finding.kind is not AlertKind.NO_RIGHT and self._policy.ends(finding)
        wait = min(HURRY_S, self._settle_s) if hurry else self._settle_s
        if now < self._settling.setdefault(key, now + wait):
            return False
        # Judged as it is; what is learned later is a change, and looked at then.
        self._settling[key] = _JUDGED
        return True

    def _forget(self, supervision_id: str, kinds: set[AlertKind]) -> None:
        """What is not wrong with it, or no longer, is waited for no more."""
        for kind in kinds:
            self._settling.pop((supervision_id, kind), None)

    def _over(self, supervision_id: str) -> None:
        """It runs no longer, or its PBX does not show it."""
        self._forget(supervision_id, set(AlertKind))
        for alert in self._raised.pop(supervision_id, ()):
            row = self._shown.get(alert)
            if row is not None and row.acknowledged is not None:
                self._hide(alert)

    def _raise(
        self, new_id: str, shard: Shard, supervision: Supervision, view: View, finding: Finding
    ) -> AlertRecord:
        done, done_why = AlertAct.TOLD, ""
        if self._policy.ends(finding):
            done = AlertAct.ENDING
            if supervision.took_over and not self._policy.drop_customer:
                done, done_why = AlertAct.NOT_ENDED, _WOULD_DROP
        agent = view.agent
        row = AlertRecord(
            id=new_id,
            pbx=shard.pbx,
            supervision=view.id,
            kind=finding.kind,
            supervisor_id=view.supervisor.id,
            supervisor_name=view.supervisor.name,
            supervisor_endpoint=view.supervisor.endpoint,
            agent_id=agent.id if agent is not None else None,
            agent_name=agent.name if agent is not None else None,
            agent_endpoint=agent.endpoint if agent is not None else None,
            type=finding.type,
            at_least=finding.at_least,
            certain=finding.certain,
            why=finding.why,
            raised=_now(),
            done=done,
            done_why=done_why,
        )
        self._log.warning(
            "alert_raised" if row.certain else "supervision_of_unknown_type",
            alert=row.id,
            kind=str(row.kind),
            supervisor=row.supervisor_id,
            agent=row.agent_id,
            type=str(row.type),
            done=str(row.done),
        )
        self._record([row])
        self._show(row)
        return row

    async def _end(self, row: AlertRecord, end: End) -> None:
        confirmed, why = False, _STOPPED
        try:
            confirmed, why = await end(row.supervision, self._policy.drop_customer)
        except Exception:
            self._log.exception("not_ended", alert=row.id)
            why = "Something went wrong here; it was logged."
        finally:
            row = msgspec.structs.replace(
                self._shown.get(row.id, row),
                done=AlertAct.ENDED if confirmed else AlertAct.NOT_ENDED,
                done_why=why,
            )
            self._record([row])
            if row.id in self._shown:
                self._show(row)
                self._hub.flush()

    # --- what is shown -----------------------------------------------------------------------

    def _show(self, row: AlertRecord) -> None:
        self._shown[row.id] = row
        self._hub.alert(row.id, alert_view(row))
        if row.acknowledged is not None and row.supervision not in self._raised:
            self._hide(row.id)
        elif len(self._shown) > SHOWN_MOST:
            self._hide(min(self._shown.values(), key=lambda r: (r.raised, r.id)).id)

    def _hide(self, alert_id: str) -> None:
        self._shown.pop(alert_id, None)
        self._hub.alert(alert_id, None)


def _asks(view: View) -> tuple[object, ...]:
    """What a judgement depends on, but for the rights and the list."""
    who = (view.supervisor, view.agent, view.call)
    return (view.type, view.at_least, view.state, view.payment, *who)


def _now() -> int:
    return time.time_ns() // 1_000_000
