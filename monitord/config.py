"""Settings: a TOML file to typed values, or an error that names file, key and rule.

Unknown keys are refused, since a misspelt one would silently not work. Secrets stand in files of
their own or in the environment, never in arguments.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field
from sqlalchemy import URL

from monitord.alerts.rules import Answer, Policy
from monitord.ami.link import LinkSettings
from monitord.api.edge import networks
from monitord.blame import blame
from monitord.domain.site import LABELS, PAYMENT_EVENT, Site
from monitord.domain.words import SpyType
from monitord.people import rules
from monitord.people.bootstrap import First, everybody_of
from monitord.people.passwords import is_hash
from monitord.people.permissions import OF_TYPE, Role, Scope
from monitord.people.provider import ProviderSettings
from monitord.people.roster import Given
from monitord.people.roster import Person as RosterPerson
from monitord.people.rules import RosterError
from monitord.people.words import Cadence
from monitord.store.postgres import URL_MOST, postgres_url
from monitord.store.sqlite import sqlite_url

# \Z, because $ would let a line break at the end pass.
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]
AnyPort = Annotated[int, Meta(ge=0, le=65535)]
Endpoint = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]+/[^\s/][^\x00-\x1f]{0,99}\Z")]


Supervising = Literal["Monitor", "Coach", "Barge", "Barge-Kick"]


FILE_MOST = 10 << 20
SECRET_MOST = 4096
"""Bytes that are read of each."""

ROLES_MOST = 200
"""Rules of ``oidc.roles``."""


class ConfigError(Exception):
    """The settings cannot be used. The text names file, key and rule."""


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
        str, Literal["campaign", "list", "result", "number", "direction", "payment"]
    ] = field(default_factory=dict)
    """Channel variable to the label it carries."""
    oidc: Oidc | None = None
    agents: Agents = field(default_factory=Agents)
    people: list[PersonTable] = field(default_factory=list)
    policy: PolicyTable = field(default_factory=PolicyTable)
    log: Log = Log()
    record: Record = field(default_factory=Record)


class Loaded(Struct, frozen=True):
    """Settings with all that the file alone does not hold."""

    path: Path
    settings: Settings
    links: list[LinkSettings]
    first: list[First]
    """People for the first start of a database."""
    site: Site
    store_url: URL
    """The ledger's database, the password of PostgreSQL's role within; str() hides that."""
    policy: Policy = Policy()
    provider: ProviderSettings | None = None
    """With the client's secret within."""

    @property
    def folder(self) -> Path | None:
        """Of the ledger, where it is an SQLite file."""
        if self.store_url.get_backend_name() != "sqlite":
            return None
        return Path(self.store_url.database or "").parent


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Read and check everything.

    Raises:
        ConfigError: with the file, the key and the rule.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_MOST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > FILE_MOST:
        raise ConfigError(f"{path}: larger than {FILE_MOST >> 20} MB")
    try:
        settings = msgspec.toml.decode(raw, type=Settings)
    except msgspec.ValidationError as error:
        key, rule = blame(str(error))
        raise ConfigError(f"{path}: {key or 'the file'}: {rule}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    settings = _from_environment(settings, environment)
    _check(path, settings)
    return Loaded(
        path=path,
        settings=settings,
        links=[_link(path, i, p, environment) for i, p in enumerate(settings.pbx)],
        first=_first(settings),
        site=_site(settings),
        policy=_policy(settings.policy),
        store_url=_store_url(path, settings.store, environment),
        provider=_provider(path, settings.oidc, environment),
    )


def _from_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """MONITORD_HOST and MONITORD_PORT go before the file, for containers and demos."""
    server = settings.server
    if host := environment.get("MONITORD_HOST"):
        server = msgspec.structs.replace(server, host=host)
    if port := environment.get("MONITORD_PORT"):
        if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise ConfigError("environment: MONITORD_PORT: must be a whole number from 0 to 65535")
        server = msgspec.structs.replace(server, port=int(port))
    return msgspec.structs.replace(settings, server=server)


def _check(path: Path, settings: Settings) -> None:
    def refuse(key: str, rule: str) -> None:
        raise ConfigError(f"{path}: {key}: {rule}")

    if not settings.pbx:
        refuse("pbx", "at least one [[pbx]] is needed")
    for key, values in (
        ("pbx.id", [p.id for p in settings.pbx]),
        ("people.id", [p.id for p in settings.people]),
        ("people.login", [p.login for p in settings.people if p.login]),
        ("people.endpoints", [e for p in settings.people for e in p.endpoints]),
        ("people.account_codes", [c for p in settings.people for c in p.account_codes]),
    ):
        for value, times in Counter(values).items():
            if times > 1:
                refuse(key, f"{value!r} stands {times} times, but must be unique")
    for index, person in enumerate(settings.people):
        key = f"people[{index}]"
        if person.login and person.role is None:
            roles = ", ".join(Role)
            refuse(f"{key}.role", f"somebody who signs in needs one of: {roles}")
        if person.login and not is_hash(person.password_hash):
            refuse(f"{key}.password_hash", "must be what “monitord password” prints")
        if person.password_hash and not person.login:
            refuse(f"{key}.login", "is missing, but there is a password_hash")
    try:
        rules.check(everybody_of(_first(settings)).roster)
    except RosterError as error:
        refuse(f"people.{error.field}", error.rule)
    for name in settings.variables:
        if not re.fullmatch(r"[A-Za-z0-9(),]{1,80}|[A-Za-z][A-Za-z0-9_]{0,79}", name):
            refuse(f"variables.{name}", "is no channel variable's name (write it without __)")
    for label, times in Counter(settings.variables.values()).items():
        if times > 1:
            refuse("variables", f"only one variable can carry {label!r}, not {times}")
    for index, origin in enumerate(settings.server.origins):
        # As browsers send it, since it is compared letter by letter.
        if not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin):
            refuse(
                f"server.origins[{index}]",
                "must look like https://host or https://host:port, in small letters",
            )
        if re.fullmatch(r"http://.*:80|https://.*:443", origin):
            refuse(f"server.origins[{index}]", "must be without the port, as browsers leave it out")
    try:
        networks(settings.server.proxies)
    except ValueError as error:
        refuse("server.proxies", f"{error}; must be addresses or networks such as 10.0.0.0/8")
    if bool(settings.server.tls_certificate) != bool(settings.server.tls_key):
        missing = "tls_key" if settings.server.tls_certificate else "tls_certificate"
        refuse(f"server.{missing}", "is missing; certificate and key belong together")
    hosts = [("server.host", settings.server.host)]
    hosts += [(f"pbx[{i}].host", p.host) for i, p in enumerate(settings.pbx)]
    for key, host in hosts:
        try:
            host.encode("idna")
        except UnicodeError:
            refuse(key, f"{host!r} cannot be the name or address of a host")


def _link(path: Path, index: int, pbx: Pbx, environment: Mapping[str, str]) -> LinkSettings:
    key = f"{path}: pbx[{index}]"
    if bool(pbx.secret_file) == bool(pbx.secret_env):
        raise ConfigError(f"{key}: exactly one of secret_file and secret_env is needed")
    secret = _secret(key, "secret", path.parent, pbx.secret_file, pbx.secret_env, environment)
    return LinkSettings(pbx.id, pbx.host, pbx.port, pbx.username, secret)


def _store_url(path: Path, store: Store, environment: Mapping[str, str]) -> URL:
    key = f"{path}: store"
    if not store.url:
        for name in ("password_file", "password_env"):
            if getattr(store, name):
                raise ConfigError(f"{key}.{name}: there is no store.url that it could be for")
        folder = path.parent / (store.folder or "data")
        return sqlite_url((folder / "monitord.sqlite3").absolute())
    if store.folder is not None:
        raise ConfigError(f"{key}: only one of folder and url can be the ledger's place")
    if store.password_file and store.password_env:
        raise ConfigError(f"{key}: only one of password_file and password_env can be given")
    password = None
    if store.password_file or store.password_env:
        password = _secret(
            *(key, "password", path.parent),
            *(store.password_file, store.password_env, environment),
        )
    try:
        return postgres_url(store.url, password)
    except ValueError as error:
        raise ConfigError(f"{key}.url: {error}") from None


def _provider(
    path: Path, oidc: Oidc | None, environment: Mapping[str, str]
) -> ProviderSettings | None:
    if oidc is None:
        return None
    key = f"{path}: oidc"
    try:
        parts = urlsplit(oidc.issuer)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        fits = parts.scheme == "https" or (parts.scheme == "http" and local)
        fits = fits and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(f"{key}.issuer: must be an address that begins with https://")
    if "openid" not in oidc.scopes:
        raise ConfigError(f"{key}.scopes: openid must be among them")
    if len(oidc.roles) > ROLES_MOST:
        raise ConfigError(f"{key}.roles: there may be at most {ROLES_MOST}")
    if oidc.create and not oidc.roles:
        raise ConfigError(f"{key}.create: needs oidc.roles, or everybody would come in with none")
    secret = None
    if oidc.client_secret_file and oidc.client_secret_env:
        raise ConfigError(f"{key}: only one of client_secret_file and client_secret_env")
    if oidc.client_secret_file or oidc.client_secret_env:
        secret = _secret(
            *(key, "client_secret", path.parent),
            *(oidc.client_secret_file, oidc.client_secret_env, environment),
        )
    return ProviderSettings(oidc.issuer, oidc.client_id, secret, tuple(oidc.scopes))


def _secret(
    key: str, what: str, folder: Path, file: str, variable: str, environment: Mapping[str, str]
) -> str:
    """From the environment's variable, or else from the file."""
    if variable:
        secret = environment.get(variable, "")
        if not secret:
            raise ConfigError(f"{key}.{what}_env: the variable {variable} is not set")
    else:
        secret = _read_secret(f"{key}.{what}_file", folder / file)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", secret) or len(secret) > 500:
        raise ConfigError(f"{key}: the {what} holds control characters or is over 500 long")
    return secret


def _read_secret(key: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(SECRET_MOST).decode()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text in UTF-8") from None
    if mode & stat.S_IROTH:
        raise ConfigError(f"{key}: {path} can be read by everybody; chmod it to 600")
    secret = text.split("\n", 1)[0].strip()
    if not secret:
        raise ConfigError(f"{key}: the first line of {path} is empty")
    return secret


def _policy(table: PolicyTable) -> Policy:
    given = table.unauthorised
    answers: dict[SpyType, Answer] = (
        {SpyType(name): answer for name, answer in given.items()}
        if isinstance(given, dict)
        else dict.fromkeys(OF_TYPE, given)
    )
    return Policy(
        answers,
        table.drop_customer,
        never_monitor=table.never_monitor,
        payment="end" if table.payment == "end" else "alert",
    )


def _first(settings: Settings) -> list[First]:
    teams = any(p.team for p in settings.people)

    def given(person: PersonTable) -> tuple[Given, ...]:
        if person.role is None:
            return ()
        own = person.scope or (None if teams else Scope.ALL)
        return (Given(person.role, own),)

    return [
        First(
            RosterPerson(
                id=p.id,
                name=p.name,
                team=p.team,
                leader=p.leader,
                roles=given(p),
                agent=p.agent,
                account_codes=tuple(p.account_codes),
                hired=p.hired,
                cadence=p.cadence,
            ),
            endpoints=tuple(p.endpoints),
            login=p.login,
            password_hash=p.password_hash,
        )
        for p in settings.people
    ]


def _site(settings: Settings) -> Site:
    assert all(label in LABELS for label in settings.variables.values())
    return Site(
        variables=dict(settings.variables),
        people=everybody_of(_first(settings)).roster.known(0),
        agent_patterns=tuple(settings.agents.patterns),
        wrap_up_reasons=frozenset(settings.agents.wrap_up_reasons),
        wrap_up_s=dict(settings.agents.wrap_up_s),
        keypads=frozenset(p.id for p in settings.pbx if p.keypad),
        payment_event=settings.policy.payment_event,
    )
