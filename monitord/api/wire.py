"""Every message of the stream and every JSON body of the HTTP API, typed once.

The entities that a delta carries are the live picture of ``monitord.domain.views``.

The page's TypeScript types are generated from this file (``make generate``).  All instants
are integer milliseconds UTC since 1970, all lengths integer milliseconds.

The stream is snapshot and delta in one: a ``delta`` frame adds, changes and removes entities;
the first one is a delta from nothing and carries ``reset``.  A client keeps one map per kind
and has a single code path.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from monitord.domain.views import Entity, Party
from monitord.domain.words import (
    AgentStatus,
    Direction,
    EndReason,
    Provenance,
    SpyType,
)
from monitord.people.permissions import Permission

PROTOCOL = 1
"""Raised when a client that knows only the old number would go wrong."""


Kind = Literal["pbx", "agent", "call", "supervision"]


class Patch(Struct, frozen=True):
    """New values of some fields of one entity."""

    kind: Kind
    id: str
    set: dict[str, Any]


class Ref(Struct, frozen=True):
    kind: Kind
    id: str


# --- stream, server to client ------------------------------------------------------------


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """First frame of a connection."""

    protocol: int
    version: str
    """Of monitord."""
    heartbeat_ms: int
    """The server sends a frame at least this often; twice as long without one is a lost link."""


class Delta(Struct, frozen=True, tag_field="type", tag="delta", omit_defaults=True):
    """What became different at one place in the stream."""

    epoch: str
    """Another one for another run of the server, and for other rights."""
    seq: int
    """Grows, but not by one: a frame of which this client may see nothing is not sent to it."""
    at: int
    """Server time when the change was made."""
    after: int = 0
    """``seq`` of the frame before it, or an earlier one: a client that has not come so far has
    missed something. Means nothing where ``reset`` is set."""
    reset: bool = False
    """True: forget everything first."""
    add: list[Entity] = []
    change: list[Patch] = []
    remove: list[Ref] = []


class Lag(Struct, frozen=True):
    """Measured delay between one PBX and the daemon, null while unknown."""

    pbx: str
    ms: int | None


class Pong(Struct, frozen=True, tag_field="type", tag="pong"):
    """Answer to a ``ping``, or unasked as the heartbeat (``n`` is then null)."""

    n: int | None
    at: int
    """Server time, from which the client measures its clock's offset."""
    lags: list[Lag]


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    """Last frame before the server closes: why, in plain words."""

    code: Literal["signed_out", "too_slow", "shutdown", "bad_message"]
    why: str


ServerFrame = Hello | Delta | Pong | Bye

# --- stream, client to server ------------------------------------------------------------


class Subscribe(Struct, frozen=True, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    """Must be the first message. With the last seen place, what was missed is sent instead of
    everything, if it is still known; a delta with ``reset`` says that it was not."""

    epoch: Annotated[str, Meta(max_length=64)] | None = None
    seq: Annotated[int, Meta(ge=0)] | None = None


class Ping(Struct, frozen=True, tag_field="type", tag="ping", forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=0, le=2**53 - 1)]


ClientMessage = Subscribe | Ping

# --- HTTP bodies -------------------------------------------------------------------------


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(min_length=1, max_length=128)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]


class Me(Struct, frozen=True):
    """Who is signed in."""

    id: str
    name: str
    permissions: list[Permission]


class Ways(Struct, frozen=True):
    """How one can sign in here."""

    provider: str | None
    """What the button to the site's own provider says; null where there is none."""


class Account(Struct, frozen=True):
    """How the one who asks signs in."""

    login: str | None
    has_password: bool
    by_provider: bool
    """Their account is tied to one at the site's own provider."""
    password_rules: str


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    old: Annotated[str, Meta(min_length=1, max_length=1024)]
    new: Annotated[str, Meta(min_length=1, max_length=1024)]


class Someone(Struct, frozen=True):
    """A person of the roster."""

    id: str
    name: str


class SignInSession(Struct, frozen=True):
    """One browser that is signed in."""

    id: str
    person: Someone
    how: Literal["password", "provider", "link"]
    address: str
    browser: str
    """As it names itself; nobody checks that."""
    created: int
    seen: int
    """When it was last used, to a minute."""
    expires: int
    this: bool
    """The one that asks."""


class SignInSessions(Struct, frozen=True):
    sessions: list[SignInSession]
    """The latest first."""
    more: bool
    """True: there are older ones, which are not listed."""


class Ended(Struct, frozen=True):
    ended: int
    """How many there were."""


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    """What it is for."""
    permissions: Annotated[list[Permission], Meta(min_length=1, max_length=50)]
    days: Annotated[int, Meta(ge=1, le=366)] = 90
    """Until it expires."""


class ApiToken(Struct, frozen=True):
    id: str
    person: Someone
    name: str
    permissions: list[Permission]
    """Of these it may what its person may as well."""
    created: int
    expires: int
    used: int | None
    """When it was last used, to ten minutes; null: never."""


class ApiTokens(Struct, frozen=True):
    tokens: list[ApiToken]
    """The latest first."""
    grantable: list[Permission]
    """What the one who asks may give a new one; empty where they may make none."""


class MadeToken(Struct, frozen=True):
    token: ApiToken
    text: str
    """What the program sends. It is told this once and kept nowhere."""


class LinkToken(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=100)]


class LinkPurpose(Struct, frozen=True):
    """What a one-time link is for."""

    purpose: Literal["administrator", "password"]
    name: str | None
    """Whose password; null where it makes the first administrator."""
    login: str | None
    password_rules: str


class LinkUse(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Of the first administrator, as the following; must be missing otherwise."""
    login: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class NewLink(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """For somebody who has none yet."""


class MadeLink(Struct, frozen=True):
    path: str
    """Path and fragment of the link. It is told this once and kept nowhere."""
    expires: int


class Segment(Struct, frozen=True):
    """Part of a supervision with one type and one call."""

    n: int
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    call_id: str | None
    number: str | None
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    ended: int | None
    length_ms: int | None


class SupervisionRow(Struct, frozen=True):
    """One row of the Coaching / Monitoring History."""

    id: str
    pbx: str
    supervisor: Party
    agent: Party | None
    type: SpyType
    """The strongest of its segments."""
    at_least: bool
    type_provenance: Provenance
    started: int
    started_exact: bool
    ended: int | None
    """Null while it runs."""
    ended_exact: bool
    ended_after: int | None
    """Where the end is not exact: it was still seen then, and ``ended`` is the latest it can be."""
    end_reason: EndReason | None
    ended_by: str | None
    length_ms: int | None
    waiting_ms: int
    means: str
    campaign: str | None
    """As it was then: of the last call under it."""
    call_id: str | None
    """Of the last call under it."""
    earlier_campaigns: list[str]
    """Of the calls before, where they were others."""


class SupervisionPage(Struct, frozen=True):
    rows: list[SupervisionRow]
    next: str | None
    """Cursor of the following page, null at the end. Nothing is ever cut off."""


class SupervisionDetail(Struct, frozen=True):
    supervision: SupervisionRow
    segments: list[Segment]


class Disconnect(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a Disconnect User."""

    drops_customer: bool = False
    """The person was told that after a Barge-Kick the customer is on the supervisor's leg and goes
    with it. Without it such a disconnect is refused."""


class DisconnectOutcome(Struct, frozen=True):
    """What became of a Disconnect User."""

    outcome: Literal["confirmed", "refused", "not_confirmed"]
    why: str
    """In plain words; empty where a disconnect was confirmed and there is nothing to add."""


class CallRow(Struct, frozen=True):
    """One call of the ledger."""

    id: str
    pbx: str
    call_id: str
    agent: Party | None
    direction: Direction
    number: str | None
    queue: str
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    started_exact: bool
    answered: int | None
    ended: int | None
    ended_exact: bool
    end_reason: EndReason | None
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int | None
    length_ms: int | None


class CallPage(Struct, frozen=True):
    rows: list[CallRow]
    next: str | None


class StatusRow(Struct, frozen=True):
    """One interval of an agent's status."""

    id: str
    pbx: str
    agent: Party
    status: AgentStatus
    reason: str
    started: int
    started_exact: bool
    ended: int | None
    ended_exact: bool
    length_ms: int | None


class StatusPage(Struct, frozen=True):
    rows: list[StatusRow]
    next: str | None


class Gap(Struct, frozen=True):
    """A time in which the daemon could not see a PBX: what happened in it may be missing."""

    pbx: str
    started: int
    ended: int | None
    why: str


class GapPage(Struct, frozen=True):
    rows: list[Gap]
    next: str | None


class Count(Struct, frozen=True):
    """How many rows fit the filters."""

    rows: int
    exact: bool
    """False: there are more; it was counted no further."""


class Choice(Struct, frozen=True):
    """A value that a filter can be set to."""

    value: str
    name: str
    """As people know it; the value itself where it has no other name."""


class Choices(Struct, frozen=True):
    choices: list[Choice]
    """In the names' order."""
    more: bool
    """True: these are not all; type more of the name."""


class ProblemDetail(Struct, frozen=True):
    """Why a request was not carried out, with the field that is to blame."""

    error: str
    """Stable, for programs: ``bad_request``, ``not_signed_in``, ``forbidden``, ``not_found`` ..."""
    message: str
    """For people: the rule that was broken."""
    field: str | None = None


encode = msgspec.json.Encoder().encode
