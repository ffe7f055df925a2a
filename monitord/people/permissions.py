"""Who may do what: data in one table. What no row grants is refused.

A role grants permissions, each with a scope: on whom it may be used. The scope that stands here is
the role's own; who is given a role can be given it with another one.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from monitord.domain.words import SpyType

Permission = Literal[
    "agent.see",
    "call.see",
    "number.see",
    "supervision.see",
    "supervision.monitor",
    "supervision.coach",
    "supervision.barge",
    "supervision.barge-kick",
    "supervision.disconnect",
    "alert.see",
    "notice.see",
    "reason.give",
    "history.see",
    "history.export",
    "recording.play",
    "team.see",
    "view.share",
    "flag.see",
    "flag.make",
    "flag.answer",
    "flag.set",
    "csat.see",
    "csat.give",
    "csat.set",
    "audit.see",
    "roster.see",
    "roster.edit",
    "rights.edit",
    "session.end",
    "token.make",
    "privacy.see",
    "privacy.edit",
    "privacy.export",
]

MEANING: dict[Permission, str] = {
    "agent.see": "see agents and their live status",
    "call.see": "see live calls",
    "number.see": "see customers' phone numbers whole, not masked",
    "supervision.see": "see who supervises whom, live",
    "supervision.monitor": "listen to an agent's call",
    "supervision.coach": "whisper to an agent",
    "supervision.barge": "speak to both sides of an agent's call",
    "supervision.barge-kick": "take an agent's call over",
    "supervision.disconnect": "disconnect a supervision, one's own or another's",
    "alert.see": "be told of supervisions that should not be",
    "notice.see": "be told of supervisions on oneself, as the site's policy says",
    "reason.give": "say why one supervised",
    "history.see": "read past supervisions, calls and agents' status",
    "history.export": "export what one may read of the history, and of flags",
    "recording.play": "play recordings of agents' calls",
    "team.see": "see the team view",
    "view.share": "share saved views with everybody",
    "flag.see": "read flags on calls",
    "flag.make": "flag moments of calls, change and take off one's own, and review flags",
    "flag.answer": "read the flags on oneself, where the site lets agents see them, and answer",
    "flag.set": "say whether agents see flags, and which themes there are",
    "csat.see": "see the scores that customers give to calls",
    "csat.give": "send in customers' scores, one at a time or as a file",
    "csat.set": "say on which scale customers answer",
    "audit.see": "read the audit log",
    "roster.see": "see the roster: people, teams, endpoints",
    "roster.edit": "change people, teams and endpoints",
    "rights.edit": "give and take roles, and ways to sign in",
    "session.end": "see and end other people's sessions",
    "token.make": "make API tokens for oneself",
    "privacy.see": "see whom nobody may listen to, and what is kept, held and erased",
    "privacy.edit": "change whom nobody may listen to, hold and erase",
    "privacy.export": "export all that is held on a person or a number",
}

UNSCOPED: frozenset[Permission] = frozenset(
    {
        "number.see",
        "alert.see",
        "view.share",
        "flag.set",
        "csat.set",
        "audit.see",
        "roster.see",
        "roster.edit",
        "rights.edit",
        "session.end",
        "token.make",
        "privacy.see",
        "privacy.edit",
        "privacy.export",
    }
)
"""Had or not had; there is nobody on whom they are used."""

OWN: frozenset[Permission] = frozenset({"notice.see", "reason.give", "flag.answer"})
"""On oneself alone, with whatever scope the role is given: what one agent is told is no
business of whoever else has the role."""

OF_TYPE: dict[SpyType, Permission] = {
    SpyType.MONITOR: "supervision.monitor",
    SpyType.COACH: "supervision.coach",
    SpyType.BARGE: "supervision.barge",
    SpyType.BARGE_KICK: "supervision.barge-kick",
}
"""The right that a supervision of each type needs."""


class Scope(StrEnum):
    """On whom a permission may be used. Each includes those below it but ``self``, which stands
    alone."""

    ALL = "all"
    TEAM = "own team"
    REPORTS = "direct reports"
    SELF = "self"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    QA_MANAGER = "QA manager"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    AGENT = "agent"


_ALL, _TEAM, _SELF = Scope.ALL, Scope.TEAM, Scope.SELF

GRANTS: MappingProxyType[Role, dict[Permission, Scope]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: {
            "agent.see": _ALL,
            "call.see": _ALL,
            "supervision.see": _ALL,
            "supervision.disconnect": _ALL,
            "alert.see": _ALL,
            "reason.give": _SELF,
            "history.see": _ALL,
            "team.see": _ALL,
            "flag.set": _ALL,
            "csat.set": _ALL,
            "roster.see": _ALL,
            "roster.edit": _ALL,
            "rights.edit": _ALL,
            "session.end": _ALL,
            "token.make": _ALL,
            "privacy.see": _ALL,
            "privacy.edit": _ALL,
            "privacy.export": _ALL,
        },
        Role.QA_MANAGER: {
            "agent.see": _ALL,
            "call.see": _ALL,
            "number.see": _ALL,
            "supervision.see": _ALL,
            "supervision.monitor": _ALL,
            "alert.see": _ALL,
            "reason.give": _SELF,
            "history.see": _ALL,
            "history.export": _ALL,
            "recording.play": _ALL,
            "team.see": _ALL,
            "view.share": _ALL,
            "flag.see": _ALL,
            "flag.make": _ALL,
            "flag.set": _ALL,
            "csat.see": _ALL,
            "csat.give": _ALL,
            "csat.set": _ALL,
            "roster.see": _ALL,
            "token.make": _ALL,
        },
        Role.SUPERVISOR: {
            "agent.see": _TEAM,
            "call.see": _TEAM,
            "number.see": _ALL,
            "supervision.see": _TEAM,
            "supervision.monitor": _TEAM,
            "supervision.coach": _TEAM,
            "supervision.barge": _TEAM,
            "supervision.barge-kick": _TEAM,
            "supervision.disconnect": _TEAM,
            "alert.see": _ALL,
            "reason.give": _SELF,
            "history.see": _TEAM,
            "history.export": _TEAM,
            "recording.play": _TEAM,
            "team.see": _TEAM,
            "view.share": _ALL,
            "flag.see": _TEAM,
            "flag.make": _TEAM,
            "csat.see": _TEAM,
            "token.make": _ALL,
        },
        Role.AUDITOR: {
            "agent.see": _ALL,
            "call.see": _ALL,
            "supervision.see": _ALL,
            "alert.see": _ALL,
            "reason.give": _SELF,
            "history.see": _ALL,
            "history.export": _ALL,
            "flag.see": _ALL,
            "csat.see": _ALL,
            "audit.see": _ALL,
            "roster.see": _ALL,
            "token.make": _ALL,
            "privacy.see": _ALL,
            "privacy.export": _ALL,
        },
        Role.AGENT: {
            "agent.see": _SELF,
            "call.see": _SELF,
            "notice.see": _SELF,
            "flag.answer": _SELF,
        },
    }
)
"""An agent sees no supervision, live or past, but notices of those on them: whether they are told,
and when, is the site's own policy. A QA manager listens; to whisper or to speak is a supervisor's.
An administrator looks after the system and hears nobody."""
