"""What other programs, and agents by mail, are told of a flag: rows of the outbox, for the
transaction of the act itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from monitord.audit.entry import Actor
from monitord.domain.ledger import OutgoingRecord
from monitord.domain.words import AnswerKind, FlagState, Polarity
from monitord.outbox.mail import Mail
from monitord.outbox.post import Event, Post

if TYPE_CHECKING:
    from monitord.flags.store import AnswerRow, FlagRow

EVENT: Event = "flag"

What = Literal[
    "made",
    "changed",
    "reviewed",
    "taken off",
    "reopened",
    "shared",
    "no longer shared",
    "answered",
    "shown to the agent",
]

TOLD: dict[str, What] = {
    "flag call": "made",
    "change flag": "changed",
    "review flag": "reviewed",
    "take off flag": "taken off",
    "open flag again": "reopened",
    "share flag": "shared",
    "stop sharing flag": "no longer shared",
    "answer flag": "answered",
}
"""By the action in the audit log."""


class ToldOfPerson(Struct, frozen=True):
    id: str
    name: str


class ToldOfFlag(Struct, frozen=True, kw_only=True):
    """As it is after the act. Never a customer's number."""

    id: str
    pbx: str
    call: str
    call_id: str
    agent: ToldOfPerson
    by: ToldOfPerson
    polarity: Polarity
    comment: str
    wanted: str
    themes: tuple[str, ...]
    moment: int | None
    offset_ms: int | None
    state: FlagState
    made: int
    changed: int | None
    visible: bool
    shared: int | None


class ToldOfAnswer(Struct, frozen=True):
    kind: AnswerKind
    text: str


class Told(Struct, frozen=True, kw_only=True):
    """``data`` of a message."""

    told: What
    flag: ToldOfFlag
    by: ToldOfPerson
    """Who did it; whoever made the flag is in the flag."""
    why: str | None = None
    """Of a flag that was taken off, where it was said."""
    answer: ToldOfAnswer | None = None


class Outgoing(Struct, frozen=True):
    post: Post = Post()
    mail: Mail = Mail()

    def of(
        self,
        what: What,
        flag: FlagRow,
        by: Actor,
        act: int,
        *,
        answer: AnswerRow | None = None,
    ) -> Iterator[OutgoingRecord]:
        """``act``: number of its row in the audit log, by which a message is known again."""
        data = Told(
            told=what,
            flag=_flag(flag),
            by=ToldOfPerson(by.id, by.name),
            why=flag.settled_why if what == "taken off" else None,
            answer=None if answer is None else ToldOfAnswer(answer.kind, answer.text),
        )
        yield from self.post.records(EVENT, f"{flag.id}.{act}", data, _now())

    def shown(self, agent: str, act: int) -> Iterator[OutgoingRecord]:
        """To the agent, that there is something to read; one mail, however much it is."""
        yield from self.mail.records(agent, f"{agent}.{act}", _now())


NOTHING = Outgoing()


def _flag(flag: FlagRow) -> ToldOfFlag:
    return ToldOfFlag(
        id=flag.id,
        pbx=flag.pbx,
        call=flag.call,
        call_id=flag.call_id,
        agent=ToldOfPerson(flag.agent_id, flag.agent_name),
        by=ToldOfPerson(flag.by_id, flag.by_name),
        polarity=flag.polarity,
        comment=flag.comment,
        wanted=flag.wanted,
        themes=flag.themes,
        moment=flag.moment,
        offset_ms=flag.offset_ms,
        state=flag.state,
        made=flag.made,
        changed=flag.changed,
        visible=flag.visible,
        shared=flag.shared,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
