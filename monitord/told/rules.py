"""When an agent is told of a supervision, and when a reason is asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import Struct

from monitord.domain.ledger import NoticeRecord, SupervisionRecord
from monitord.domain.words import SpyType, Telling

Ask = Literal["never", "asked", "required"]
"""Whether a reason is asked for: "required" does not let an act on the page begin without one."""


class Says(Struct, frozen=True):
    """What the policy says of one type."""

    telling: Telling = Telling.NEVER
    delay_ms: int = 0
    """After the end; for "delayed" alone."""
    who: bool = False
    """The agent sees who it was; so ``why``, the reason."""
    why: bool = False
    ask: Ask = "never"


OfType = Mapping[SpyType, Says]

_NOTHING = Says()


class Policy(Struct, frozen=True):
    everybody: OfType = MappingProxyType({})
    """By type; nothing is told or asked of those that are missing."""
    teams: Mapping[str, OfType] = MappingProxyType({})
    """Instead, for the agents of a team, by its id."""

    @property
    def longest_delay_ms(self) -> int:
        """After the end of a supervision, until its agent is told."""
        some = (*self.everybody.values(), *(s for of in self.teams.values() for s in of.values()))
        return max((s.delay_ms for s in some if s.telling is Telling.DELAYED), default=0)

    def says(self, team: str | None, kind: SpyType) -> Says:
        """Of an agent's team. Of a type that is not known one thing is certain: that it could be
        listened to."""
        if kind is SpyType.UNKNOWN:
            kind = SpyType.MONITOR
        return self.teams.get(team or "", self.everybody).get(kind, _NOTHING)


def judge(
    old: NoticeRecord | None,
    row: SupervisionRecord,
    team: str | None,
    policy: Policy,
    *,
    call_over: bool,
    now: int,
) -> NoticeRecord | None:
    """The notice of a supervision as its row stands now; None where there is nothing to tell, and
    nothing ever was. ``now`` in ms UTC.

    Judged by the strongest type so far. What was told stays told: a stronger type that is told
    later, or never, takes nothing back, and the end of what was told as begun is told as well.
    """
    if row.agent_id is not None and row.agent_endpoint is not None:
        agent = (row.agent_id, row.agent_name or row.agent_endpoint, row.agent_endpoint)
    elif old is not None:
        agent = (old.agent_id, old.agent_name, old.agent_endpoint)
    else:
        return None
    stronger = old is not None and old.type.strength > row.type.strength
    kind = old.type if old is not None and stronger else row.type
    says = policy.says(team, kind)
    if old is None and says.telling is Telling.NEVER:
        return None
    told = old is not None and old.told_begun is not None
    notice = NoticeRecord(
        id=row.id,
        pbx=row.pbx,
        agent_id=agent[0],
        agent_name=agent[1],
        agent_endpoint=agent[2],
        supervisor_id=row.supervisor_id,
        supervisor_name=row.supervisor_name,
        supervisor_endpoint=row.supervisor_endpoint,
        call=row.call,
        type=kind,
        at_least=row.at_least,
        started=row.started,
        started_exact=row.started_exact,
        ended=row.ended,
        ended_exact=row.ended_exact,
        ended_after=row.ended_after,
        telling=says.telling,
        who=says.who or (old is not None and told and old.who),
        why=says.why or (old is not None and told and old.why),
        due=_due(says, row, call_over=call_over, now=now),
        told_begun=old.told_begun if old is not None else None,
        told_ended=old.told_ended if old is not None else None,
    )
    if old is not None and told:
        notice = msgspec.structs.replace(notice, due=old.due)
    return tell(notice, now)


def _due(says: Says, row: SupervisionRecord, *, call_over: bool, now: int) -> int | None:
    match says.telling:
        case Telling.START_AND_END:
            return now
        case Telling.AFTER_CALL:
            # Where the supervisor stays on the line, the next call is listened to as well.
            return now if row.ended is not None and call_over else None
        case Telling.DELAYED:
            return None if row.ended is None else row.ended + says.delay_ms
    return None


def tell(notice: NoticeRecord, now: int) -> NoticeRecord:
    """With what is due at ``now`` told, each part once."""
    begun, ended = notice.told_begun, notice.told_ended
    if begun is None and notice.due is not None and notice.due <= now:
        begun = now
    if begun is not None and ended is None and notice.ended is not None:
        ended = now
    return msgspec.structs.replace(notice, told_begun=begun, told_ended=ended)


def call_ended(notice: NoticeRecord, now: int) -> NoticeRecord:
    """The call under it is over."""
    waits = notice.telling is Telling.AFTER_CALL and notice.due is None
    if not waits or notice.ended is None:
        return notice
    return tell(msgspec.structs.replace(notice, due=now), now)


def unfinished(notice: NoticeRecord) -> bool:
    """Whether something of it is still to be told that no clock brings about."""
    if notice.told_ended is not None:
        return False
    waits = notice.telling is Telling.AFTER_CALL and notice.due is None
    return notice.ended is None or waits
