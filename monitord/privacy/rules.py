"""Where somebody stands in the database: each table is either in ``HOLDINGS``, which the export of
what is held on somebody and the erasure of it both follow, or in ``NOTHING`` with the reason. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from msgspec import Struct

from monitord.people.erased import ENDPOINT, NAME, TEXT


class Spot(Struct, frozen=True):
    """Columns of a row that name one person."""

    id: str
    name: str | None = None
    endpoint: str | None = None
    text: str | None = None
    """Plain words in which their name may be."""

    def erased(self, pseudonym: str) -> dict[str, str]:
        """What stands there afterwards, by column."""
        given = {self.id: pseudonym, self.name: NAME, self.endpoint: ENDPOINT, self.text: TEXT}
        return {column: value for column, value in given.items() if column is not None}


class Holding(Struct, frozen=True, kw_only=True):
    """What a table holds of people and numbers."""

    says: str
    """In the export: what these rows are."""
    spots: tuple[Spot, ...] = ()
    number: str | None = None
    """Column of a customer's number."""
    goes: bool = False
    """To be erased, rows are removed; else pseudonyms stand in them."""
    omit: tuple[str, ...] = ()
    """Columns that are left out of an export: what would open something."""
    by_hand: str = ""
    """What else is of somebody there, which the code looks for itself."""


_PERSON = (Spot("person"),)
_PARTIES = (
    Spot("supervisor_id", "supervisor_name", "supervisor_endpoint"),
    Spot("agent_id", "agent_name", "agent_endpoint"),
)

HOLDINGS: MappingProxyType[str, Holding] = MappingProxyType(
    {
        "person": Holding(
            says="who they are on the roster, and whom they lead",
            spots=(Spot("id"),),
            goes=True,
            by_hand="the leader of others becomes nobody",
        ),
        "role": Holding(says="roles that they have", spots=_PERSON, goes=True),
        "ownership": Holding(says="endpoints that are or were theirs", spots=_PERSON, goes=True),
        "credential": Holding(
            says="how they sign in", spots=_PERSON, goes=True, omit=("password_hash",)
        ),
        "sign_in_session": Holding(
            says="browsers in which they are signed in", spots=_PERSON, goes=True, omit=("key",)
        ),
        "api_token": Holding(
            says="programs that have a token of theirs", spots=_PERSON, goes=True, omit=("key",)
        ),
        "one_time_link": Holding(
            says="one-time links that were made for them", spots=_PERSON, goes=True, omit=("key",)
        ),
        "saved_view": Holding(
            says="views that they saved, and others' views that filter by them",
            spots=_PERSON,
            goes=True,
            by_hand="others' filters",
        ),
        "chosen_view": Holding(says="views that they chose for a page", spots=_PERSON, goes=True),
        "endpoint_seen": Holding(
            says="endpoints that a queue calls by their name",
            by_hand="the name",
        ),
        "supervision": Holding(
            says="supervisions by them, of them, and those that they ended",
            spots=(*_PARTIES, Spot("ended_by_id", "ended_by_name")),
        ),
        "segment": Holding(
            says="parts of these supervisions; of a number: those on its calls",
            number="number",
        ),
        "score": Holding(
            says="scores that customers gave to their calls, and those that they sent in",
            spots=(Spot("by_id", "by_name"),),
        ),
        "recording": Holding(
            says="when recordings of their calls ran, and the names of the files; the sound is in "
            "the site's own files, which monitord never removes",
            goes=True,
            by_hand="those of their calls",
        ),
        "call": Holding(says="their calls", spots=_PARTIES[1:], number="number"),
        "call_part": Holding(says="calls that they handed on", spots=_PARTIES[1:]),
        "agent_status": Holding(says="their status as an agent", spots=_PARTIES[1:]),
        "alert": Holding(
            says="alerts of supervisions by them or of them, and those that they took note of",
            spots=(
                Spot("supervisor_id", "supervisor_name", "supervisor_endpoint", "why"),
                _PARTIES[1],
                Spot("acknowledged_by_id", "acknowledged_by_name"),
            ),
        ),
        "notice": Holding(
            says="what agents were told of supervisions by them or of them", spots=_PARTIES
        ),
        "reason": Holding(
            says="reasons that they gave, and reasons for supervisions by them or of them",
            spots=(Spot("by_id", "by_name", text="text"),),
        ),
        "flag_version": Holding(
            says="what flags on their calls, and those that they made, said before",
            by_hand="of flags on them, the text is removed",
        ),
        "flag_answer": Holding(
            says="what they answered to flags, and what was answered to theirs",
            spots=(Spot("agent_id", text="text"),),
        ),
        "flag": Holding(
            says="flags on their calls, those that they made, and those that they settled",
            spots=(
                Spot("agent_id", "agent_name", "agent_endpoint", "comment"),
                Spot("by_id", "by_name"),
                Spot("settled_by_id", "settled_by_name", text="settled_why"),
            ),
            by_hand="what they should do another time, and what the flag said before",
        ),
        "focus": Holding(
            says="what is looked for in their calls, and what they look for in others'",
            spots=(Spot("agent_id", "agent_name"), Spot("by_id", "by_name")),
        ),
        "commitment": Holding(
            says="what they agreed to do, and what others agreed with them",
            spots=(
                Spot("agent_id", "agent_name", text="text"),
                Spot("by_id", "by_name"),
                Spot("settled_by_id", "settled_by_name", text="settled_why"),
            ),
            by_hand="why it was settled, of what they agreed to",
        ),
        "review": Holding(
            says="talks about flags with them, and those that they led",
            spots=(Spot("agent_id", "agent_name"), Spot("by_id", "by_name")),
        ),
        "review_pattern": Holding(
            says="how flags on them are talked about", spots=(Spot("agent_id"),), goes=True
        ),
        "outbox": Holding(
            says="messages that webhooks are still to be told, which name them",
            by_hand="messages are removed",
        ),
        "never_monitor": Holding(
            says="whether nobody may listen to them, and whom they put on that list",
            spots=(Spot("by_id", "by_name"),),
            by_hand="their own entry is removed",
        ),
        "hold": Holding(
            says="holds on them, and those that they made or lifted",
            spots=(Spot("by_id", "by_name"), Spot("lifted_by_id", "lifted_by_name")),
            by_hand="whom a hold is on, and its reason",
        ),
        "audit": Holding(
            says="rows of the audit log: what they did, and what concerns them",
            by_hand="rows stay as they are, sealed with a key that is destroyed",
        ),
    }
)
"""By table."""

NOTHING: MappingProxyType[str, str] = MappingProxyType(
    {
        "team": "names of teams, not of people",
        "gap": "when a PBX could not be seen",
        "attachment": "when a PBX was last seen",
        "call_alias": "further Call IDs of calls, which are numbered by the PBX",
        "reason_asked": "ids of supervisions",
        "setting": "the site's settings without its people, and what the daemon notes for itself",
        "audit_clock": "how far the clock was set back",
        "audit_before": "empty once a daemon has started: its rows are in the audit log then",
        "receipt": "pseudonyms, which say nothing once their keys are destroyed",
    }
)
"""Tables that hold nothing of people and numbers: why."""

DAY_MS = 24 * 3_600_000
JUMP_MS = 3_600_000
BACK_MS = 60_000
"""By which the last row's stamp may be ahead: rows of one moment are stamped one after another."""


class Keep(Struct, frozen=True):
    """Days for which each kind of row is kept after its end; None: for ever."""

    supervisions: int | None = None
    calls: int | None = None
    agent_status: int | None = None
    gaps: int | None = None
    flags: int | None = None
    """After they were reviewed or taken off; an open one is kept until somebody talked about it."""

    def by_table(self) -> dict[str, int]:
        given = {
            "supervision": self.supervisions,
            "call": self.calls,
            "agent_status": self.agent_status,
            "gap": self.gaps,
            "flag": self.flags,
        }
        return {table: days for table, days in given.items() if days is not None}


def clock_fault(wall: int, mono: int, wall_0: int, mono_0: int, last_row: int | None) -> str:
    """Why the clock cannot be trusted with what is old; empty where it can. All in ms; ``_0``: at
    the daemon's start, ``last_row``: stamp of the newest row of the audit log."""
    jump = (wall - wall_0) - (mono - mono_0)
    if abs(jump) > JUMP_MS:
        hours = abs(jump) / 3_600_000
        return (
            f"the clock was put {'forward' if jump > 0 else 'back'} by {hours:.1f} h since the "
            "start; nothing is removed until monitord is started anew"
        )
    if last_row is not None and wall < last_row - BACK_MS:
        return "the clock says a time before the newest row of the audit log"
    return ""


def names_them(text: str, words: Iterable[str]) -> bool:
    """Whether a text that stays tells what is to be erased."""
    folded = text.casefold()
    return any(len(word) > 1 and word.casefold() in folded for word in words)
