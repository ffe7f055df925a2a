"""The tables of the settings file as they are written, each key with its bound.

Unknown keys are refused, since a misspelt one would silently not work.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from monitord.alerts.rules import Answer
from monitord.domain.site import PAYMENT_EVENT, SCORE_EVENT
from monitord.outbox.settings import HOOKS_MOST, Webhook
from monitord.people.permissions import Role, Scope
from monitord.people.words import Cadence
from monitord.store.postgres import URL_MOST
from monitord.told import settings as told_settings

# \Z, because $ would let a line break at the end pass.
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]
AnyPort = Annotated[int, Meta(ge=0, le=65535)]
Endpoint = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]+/[^\s/][^\x00-\x1f]{0,99}\Z")]

Supervising = Literal["Monitor", "Coach", "Barge", "Barge-Kick"]


class _Table(Struct, forbid_unknown_fields=True, frozen=True):
    pass


class Server(_Table, frozen=True):
    """Where the page is served."""

    host: Name = "127.0.0.1"
    port: AnyPort = 8080
    """0 takes a free one, which is printed."""
    origins: list[str] = field(default_factory=list)
    """Further addresses under which browsers reach the page, such as
    ``https://monitord.example``, where a proxy stands before it."""
    secure_cookie: bool = False
    """Set it where browsers come by https and the proxy does not say so."""
    tls_certificate: str = ""
    """File of the certificate and its chain, to serve https itself; relative to the settings
    file."""
    tls_key: str = ""
    """File of its private key."""
    proxies: Annotated[list[str], Meta(max_length=100)] = field(default_factory=list)
    """Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count."""


class OidcRole(_Table, frozen=True):
    """Who has ``value`` in the provider's claim gets the role."""

    value: Annotated[str, Meta(min_length=1, max_length=200)]
    role: Role
    scope: Scope | None = None
    """On whom; the role's own scope where it is missing."""


class Oidc(_Table, frozen=True):
    """The site's own provider, by which people may sign in (OpenID Connect)."""

    issuer: Annotated[str, Meta(max_length=500)]
    """Its address, letter by letter as it tells it itself."""
    client_id: Name
    client_secret_file: str = ""
    """File whose first line is the client's secret; relative to the settings file. Neither this
    nor ``client_secret_env`` for a public client."""
    client_secret_env: str = ""
    """Or the environment variable that holds it."""
    scopes: Annotated[list[Name], Meta(max_length=20)] = field(
        default_factory=lambda: ["openid", "profile", "email"]
    )
    text: Name = "Sign in with your company’s account"
    """Of the button."""
    login_claim: Annotated[str, Meta(max_length=100)] = ""
    """Claim whose value is a login here, which ties the account to the provider's at its first
    sign-in. Must be one that people cannot choose themselves."""
    roles_claim: Annotated[str, Meta(max_length=100)] = "groups"
    """Claim that holds groups or roles, such as ``realm_access.roles``."""
    roles: list[OidcRole] = field(default_factory=list)
    """Which of them give which role. Where there is one, the provider alone gives roles to those
    who sign in by it."""
    create: bool = False
    """Who is not on the roster but gets a role so is put on it."""


class Store(_Table, frozen=True):
    """Where the ledgers are kept."""

    folder: Name | None = None
    """For the database file; relative to the settings file. ``data`` where no url is given."""
    url: Annotated[str, Meta(max_length=URL_MOST)] = ""
    """Or of a PostgreSQL database: ``postgresql://role@host/database``, without a password."""
    password_file: str = ""
    """File whose first line is the role's password; relative to the settings file. Neither this
    nor ``password_env`` where the server wants none, or takes a certificate."""
    password_env: str = ""
    """Or the environment variable that holds it."""
    keys: Name | None = None
    """Folder of the audit log's keys; relative to the settings file. ``keys`` in the ledger's
    folder, or beside the settings file where the ledger is in PostgreSQL."""


class Pbx(_Table, frozen=True):
    """One Asterisk to attach to."""

    id: Id
    port: Port = 5038
    host: Name = "127.0.0.1"
    name: str = ""
    """As people see it; the id where empty."""
    username: Name = "monitord"
    secret_file: str = ""
    """File whose first line is the AMI secret; relative to the settings file."""
    secret_env: str = ""
    """Or the environment variable that holds it."""
    keypad: bool = False
    """The AMI user has the class ``dtmf``, so that a switch of the type by keypad is seen. Without
    it such a supervision reads "at least"."""


class Agents(_Table, frozen=True):
    """Which endpoints are agents, and what their wrap-up is."""

    patterns: list[str] = field(default_factory=list)
    """Shell-style patterns of endpoints, for sites without queues: ``PJSIP/1???``."""
    wrap_up_reasons: list[str] = field(default_factory=list)
    """Reasons of a pause that mean wrap-up."""
    wrap_up_s: dict[str, Annotated[int, Meta(ge=0, le=3600)]] = field(default_factory=dict)
    """Seconds of wrap-up by queue, ``*`` for the others: Asterisk does not tell a queue's."""


class PersonTable(_Table, frozen=True):
    """Somebody of the site, for the first start only: from then on the roster in the database
    counts, which is changed on the page."""

    id: Id
    name: Name
    login: Annotated[str, Meta(max_length=128)] = ""
    password_hash: str = ""
    """As ``monitord password`` prints it."""
    role: Role | None = None
    scope: Scope | None = None
    """On whom the role is given; the role's own scope where it is missing, or everybody where the
    settings name no team at all."""
    team: Id | None = None
    leader: Id | None = None
    hired: str | None = None
    """ISO date."""
    cadence: Cadence | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    account_codes: list[str] = field(default_factory=list)
    agent: bool = False
    """Takes customers' calls."""


class PolicyTable(_Table, frozen=True):
    """What is done about a supervision that should not be."""

    unauthorised: Answer | dict[Supervising, Answer] = "alert"
    """For every type, or by type; "alert" for those that are missing."""
    drop_customer: bool = False
    """"end" also ends a Barge-Kick, with which the customer is dropped."""
    never_monitor: Answer = "alert"
    """Of a person or on a number that is on the list of those whom nobody may listen to."""
    payment: Literal["warn", "end"] = "warn"
    """While somebody pays on the call."""
    payment_event: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")] = (
        PAYMENT_EVENT
    )
    """Name of the UserEvent that says when a payment begins and ends."""


class ScoreTable(_Table, frozen=True):
    """Scores that customers give; the scale is chosen on the page."""

    event: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")] = SCORE_EVENT
    """Name of the UserEvent by which a survey of the dialplan says one."""


class Mail(_Table, frozen=True):
    """The site's mail server, by which agents are told that there is something to read."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    sender: Annotated[str, Meta(max_length=254)]
    """Address that mails come from."""
    port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    """587, or 465 with ``tls``, or 25 with ``none``."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Annotated[str, Meta(max_length=256)] = ""
    password_file: str = ""
    """File whose first line is the password; relative to the settings file."""
    password_env: str = ""
    page: Annotated[str, Meta(max_length=300)] = ""
    """Address of the page, for the link; the first of ``server.origins`` where it is missing."""


class Audit(_Table, frozen=True):
    """Where signed heads of the audit log are kept, so that rows cut off its end are missed. Always
    in ``heads.jsonl`` beside the keys; the more of these are in other hands, the better."""

    every: Annotated[int, Meta(ge=10, le=86_400)] = 300
    """Seconds; only where there are new rows."""
    files: Annotated[list[Name], Meta(max_length=10)] = field(default_factory=list)
    """Files that a line is added to; relative to the settings file."""
    webhook: Annotated[str, Meta(max_length=1000)] = ""
    """URL that a head is posted to, as JSON."""
    syslog: Annotated[str, Meta(max_length=300)] = ""
    """``udp://host:514``, ``tcp://host:601`` or ``unix:///dev/log``, by RFC 5424."""


class Recordings(_Table, frozen=True):
    """Where the site keeps its recordings of calls. They are played from there, never changed."""

    folder: Name | None = None
    """On this machine; relative to the settings file. None: recordings are not played."""
    pbx_folder: Annotated[str, Meta(max_length=500, pattern=r"^/[^\x00-\x1f\x7f]*\Z")] = (
        "/var/spool/asterisk/monitor"
    )
    """The same folder as the PBX names it in front of its files."""
    url: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    """Instead of the folder: where the site's web server has them, such as
    ``https://rec.example/{date}/{file}``."""


Days = Annotated[int, Meta(ge=2, le=36_500)]
"""Two at least: the page counts of today, and a start looks at what ended in the day before."""


class Retention(_Table, frozen=True):
    """For how many days after their end rows are kept; for ever where it is not set. Rows of the
    audit log are always kept."""

    supervisions: Days | None = None
    """With their segments, alerts, notices and reasons."""
    calls: Days | None = None
    agent_status: Days | None = None
    gaps: Days | None = None
    flags: Days | None = None
    """After they were reviewed or taken off; as long as calls where it is not set."""


class Log(_Table, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Record(_Table, frozen=True):
    """For ``monitord record``."""

    scrub_numbers: list[str] = field(default_factory=list)
    """Telephone numbers that a trace must not hold; each is replaced by a made-up one."""


class Settings(_Table, frozen=True):
    pbx: list[Pbx]
    server: Server = Server()
    store: Store = Store()
    variables: dict[
        str,
        Literal[
            "campaign",
            "list",
            "result",
            "number",
            "direction",
            "payment",
            "score",
            "recording",
        ],
    ] = field(default_factory=dict)
    """Channel variable to the label it carries."""
    oidc: Oidc | None = None
    agents: Agents = field(default_factory=Agents)
    people: list[PersonTable] = field(default_factory=list)
    policy: PolicyTable = field(default_factory=PolicyTable)
    score: ScoreTable = field(default_factory=ScoreTable)
    told: told_settings.Told = field(default_factory=told_settings.Told)
    reason: told_settings.Reason = field(default_factory=told_settings.Reason)
    webhook: Annotated[list[Webhook], Meta(max_length=HOOKS_MOST)] = field(default_factory=list)
    mail: Mail | None = None
    audit: Audit = field(default_factory=Audit)
    retention: Retention = field(default_factory=Retention)
    recordings: Recordings = Recordings()
    log: Log = Log()
    record: Record = field(default_factory=Record)
