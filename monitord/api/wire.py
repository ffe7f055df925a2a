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
from msgspec import UNSET, Meta, Struct, UnsetType

from monitord.domain.views import Alert, Entity, Party
from monitord.domain.words import (
    AgentStatus,
    Direction,
    EndReason,
    Provenance,
    SpyType,
)
from monitord.people.permissions import Permission, Role, Scope
from monitord.people.words import Cadence, How, What

PROTOCOL = 1
"""Raised when a client that knows only the old number would go wrong."""


Kind = Literal["pbx", "agent", "call", "supervision", "alert"]


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


class Acknowledge(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of an acknowledgement; who and when, the server knows."""


class AlertPage(Struct, frozen=True):
    """Newest first. A page may hold fewer rows than were asked for and yet not be the last."""

    rows: list[Alert]
    next: str | None


class PersonNamed(Struct, frozen=True):
    id: str
    name: str
    """As they are called now."""


class NeverMonitorEntry(Struct, frozen=True):
    """Somebody to whom nobody may listen; either the person or the number is null."""

    id: str
    person: PersonNamed | None
    number: str | None
    """A customer's, its digits only; masked for those who may not see numbers."""
    reason: str
    by: str
    """Name of who put it there."""
    at: int


class NeverMonitorList(Struct, frozen=True):
    rows: list[NeverMonitorEntry]


class NeverMonitorNew(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of person and number."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
    person: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Id of somebody on the roster."""
    number: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    """However it is written: only its digits count."""


class LastHeard(Struct, frozen=True):
    """The latest supervision on an agent."""

    by: Party
    type: SpyType
    """The strongest of its segments."""
    at_least: bool
    started: int
    ended: int | None
    """Null while it runs."""


class TeamAgent(Struct, frozen=True):
    """An agent of the team view, without what the stream tells."""

    id: str
    name: str
    team: str | None
    calls: int
    """Calls that began today."""
    supervised_ms: int
    """For how long they were under supervision today, up to ``at``. Two at once count twice; a
    supervisor's waiting between calls does not count."""
    last: LastHeard | None
    """Null where there never was one."""


class TeamName(Struct, frozen=True):
    id: str
    name: str


class TeamView(Struct, frozen=True):
    at: int
    begin: int
    """When today began."""
    teams: list[TeamName]
    """Of the agents that are here."""
    agents: list[TeamAgent]


ViewPage = Literal["coach-manager", "history", "team"]
ViewName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
FilterName = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]
FilterValue = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class View(Struct, frozen=True):
    """A name for some filters of a page."""

    id: str
    page: str
    name: str
    filters: dict[str, str]
    """As the page's address has them."""
    shared: bool
    by: str
    """Name of whose it is."""
    own: bool


class Views(Struct, frozen=True):
    mine: list[str]
    """Ids of those whom the view "mine" is about: oneself, the own team, direct reports."""
    views: list[View]
    chosen: dict[str, str]
    """By page: the id of the view that was chosen last, or the name of a built-in one (Coach
    Manager has "mine" and "all")."""


class PutView(Struct, frozen=True, forbid_unknown_fields=True):
    page: ViewPage
    name: ViewName
    filters: Annotated[dict[FilterName, FilterValue], Meta(max_length=20)]
    shared: bool = False
    id: Annotated[str, Meta(max_length=40)] | None = None
    """Of one's own that it replaces; else it is a new one."""


class PutViews(Struct, frozen=True, forbid_unknown_fields=True):
    """What is null stays as it is."""

    views: Annotated[list[PutView], Meta(max_length=50)] | None = None
    """All of one's own."""
    chosen: dict[ViewPage, Annotated[str, Meta(max_length=40)]] | None = None
    """Only the pages of which it is to become another one."""


# --- HTTP bodies of the roster -----------------------------------------------------------

RosterId = Annotated[str, Meta(min_length=1, max_length=64)]
RosterName = Annotated[str, Meta(min_length=1, max_length=100)]
RosterDate = Annotated[str, Meta(min_length=10, max_length=10)]
EndpointName = Annotated[str, Meta(min_length=3, max_length=120)]
Instant = Annotated[int, Meta(ge=0, le=1 << 43)]
AccountCodes = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=50)
]


class RoleGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """A role that somebody has."""

    role: Role
    scope: Scope | None = None
    """On whom; null: the scopes that the role has of its own."""


class OwnershipRow(Struct, frozen=True):
    """Whose an endpoint is, from one time to another."""

    id: str
    endpoint: str
    person: str
    since: int
    """0: from the beginning, nobody said since when."""
    until: int | None


class PersonRow(Struct, frozen=True):
    """Somebody on the roster."""

    id: str
    name: str
    team: str | None
    leader: str | None
    """Whose direct report this is."""
    roles: list[RoleGiven]
    agent: bool
    account_codes: list[str]
    hired: str | None
    """ISO date."""
    cadence: Cadence | None
    """Of the one-to-ones with the leader; null: as the team has it."""
    cadence_in_force: Cadence
    active: bool
    """False: has left."""
    endpoints: list[OwnershipRow]
    """Past, present and coming ones."""
    login: str | None
    """Null where there is none, and for those who may not change it."""


class PersonPage(Struct, frozen=True):
    version: str
    """Of the roster; to be sent back as If-Match with a change."""
    rows: list[PersonRow]
    """In the order of their ids."""
    next: str | None


class TeamRow(Struct, frozen=True):
    id: str
    name: str
    cadence: Cadence
    """Of those who have none of their own."""
    people: int
    """Who have not left."""


class TeamPage(Struct, frozen=True):
    version: str
    rows: list[TeamRow]


class RosterChanged(Struct, frozen=True):
    """A change that was carried out."""

    version: str
    id: str
    """Of what was made or changed."""
    people: list[PersonRow]
    """All that are different now."""
    attributed: int
    """Rows of the ledgers that became somebody's because an endpoint was theirs then."""


class EndpointGiven(Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: EndpointName
    since: Instant | None = None
    """Null: from now on."""


class PersonNew(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName
    id: RosterId | None = None
    """Null: one is made from the name."""
    team: RosterId | None = None
    leader: RosterId | None = None
    agent: bool = False
    account_codes: AccountCodes = []
    hired: RosterDate | None = None
    cadence: Cadence | None = None
    endpoints: Annotated[list[EndpointGiven], Meta(max_length=50)] = []


class PersonChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is. Roles and logins are changed elsewhere, by those who may."""

    name: RosterName | UnsetType = UNSET
    team: RosterId | UnsetType | None = UNSET
    leader: RosterId | UnsetType | None = UNSET
    agent: bool | UnsetType = UNSET
    account_codes: AccountCodes | UnsetType = UNSET
    hired: RosterDate | UnsetType | None = UNSET
    cadence: Cadence | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    """False: has left, with all endpoints from now on."""


class RolesChange(Struct, frozen=True, forbid_unknown_fields=True):
    """All roles that somebody has from now on."""

    roles: Annotated[list[RoleGiven], Meta(max_length=10)]


class LoginChange(Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody signs in; null: not any more."""

    login: Annotated[str, Meta(min_length=1, max_length=128)] | None


class TeamNew(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName
    id: RosterId | None = None
    """Null: one is made from the name."""
    cadence: Cadence = Cadence.WEEKLY


class TeamChange(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName | UnsetType = UNSET
    cadence: Cadence | UnsetType = UNSET


class OwnershipNew(Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint becomes somebody's. Whose it was then, theirs it was until then."""

    endpoint: EndpointName
    person: RosterId
    since: Instant | None = None
    """Null: from now on."""
    until: Instant | None = None


class OwnershipChange(Struct, frozen=True, forbid_unknown_fields=True):
    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType | None = UNSET


class Proposal(Struct, frozen=True):
    """An endpoint that was seen at a PBX and is nobody's."""

    pbx: str
    endpoint: str
    name: str
    """As a queue calls it; empty where none does."""
    how: list[How]
    first: int
    """When it was first seen."""
    last: int
    dismissed: bool


class Proposals(Struct, frozen=True):
    version: str
    rows: list[Proposal]
    """In the order of PBX and endpoint."""


class ProposalTaken(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose the endpoint is: exactly one of ``person`` and ``new``."""

    endpoint: EndpointName
    person: RosterId | None = None
    new: PersonNew | None = None
    since: Instant | None = None
    """Null: since it was first seen."""


class ProposalDismissed(Struct, frozen=True, forbid_unknown_fields=True):
    pbx: RosterId
    endpoint: EndpointName
    dismissed: bool = True


class SheetFault(Struct, frozen=True):
    """Why a file cannot be taken."""

    line: int | None
    """From 1; null where it is the file as a whole."""
    column: str | None
    rule: str


class SheetCell(Struct, frozen=True):
    column: str
    old: str
    new: str


class SheetStep(Struct, frozen=True):
    """What one line would do."""

    line: int
    id: str
    name: str
    what: What
    changes: list[SheetCell]
    taken: list[str]
    """Endpoints that were somebody else's, with their name."""


class SheetPreview(Struct, frozen=True):
    """What a file would do; nothing is done."""

    token: str | None
    """With which exactly this is carried out; null where there are faults."""
    new: int
    changed: int
    same: int
    teams: list[str]
    """Teams that would be made."""
    steps: list[SheetStep]
    """Those that do something."""
    faults: list[SheetFault]
    more_faults: bool
    """True: there are more than these."""


class SheetDone(Struct, frozen=True):
    version: str
    new: int
    changed: int
    attributed: int


class ProblemDetail(Struct, frozen=True):
    """Why a request was not carried out, with the field that is to blame."""

    error: str
    """Stable, for programs: ``bad_request``, ``not_signed_in``, ``forbidden``, ``not_found`` ..."""
    message: str
    """For people: the rule that was broken."""
    field: str | None = None


encode = msgspec.json.Encoder().encode
