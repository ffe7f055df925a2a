"""What the parts of the daemon are given, made from the tables.

Whatever may be wrong with a table on the way raises a ConfigError.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL

from monitord.alerts.rules import Answer, Policy
from monitord.ami.link import LinkSettings
from monitord.config.errors import ConfigError
from monitord.config.secrets import secret_of
from monitord.config.tables import Mail, Oidc, Pbx, PersonTable, PolicyTable, Settings, Store
from monitord.domain.site import LABELS, Site
from monitord.domain.words import SpyType
from monitord.outbox.mail import MailSettings
from monitord.outbox.post import Hook
from monitord.outbox.settings import SECRET_LEAST, Webhook, fault_of
from monitord.people.bootstrap import First, everybody_of
from monitord.people.permissions import OF_TYPE, Scope
from monitord.people.provider import ProviderSettings
from monitord.people.roster import Given
from monitord.people.roster import Person as RosterPerson
from monitord.people.rules import is_email
from monitord.store.postgres import postgres_url
from monitord.store.sqlite import sqlite_url
from monitord.told.rules import Policy as Telling
from monitord.told.settings import SettingError, policy_of

ROLES_MOST = 200
"""Rules of ``oidc.roles``."""


def link(path: Path, index: int, pbx: Pbx, environment: Mapping[str, str]) -> LinkSettings:
    """``path``: of the settings file, here and below."""
    key = f"{path}: pbx[{index}]"
    if bool(pbx.secret_file) == bool(pbx.secret_env):
        raise ConfigError(f"{key}: exactly one of secret_file and secret_env is needed")
    secret = secret_of(key, "secret", path.parent, pbx.secret_file, pbx.secret_env, environment)
    return LinkSettings(pbx.id, pbx.host, pbx.port, pbx.username, secret)


def store_url(path: Path, store: Store, environment: Mapping[str, str]) -> URL:
    """The ledger's database, with the role's password within."""
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
        password = secret_of(
            *(key, "password", path.parent),
            *(store.password_file, store.password_env, environment),
        )
    try:
        return postgres_url(store.url, password)
    except ValueError as error:
        raise ConfigError(f"{key}.url: {error}") from None


def provider(
    path: Path, oidc: Oidc | None, environment: Mapping[str, str]
) -> ProviderSettings | None:
    """None where people sign in with passwords only."""
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
        secret = secret_of(
            *(key, "client_secret", path.parent),
            *(oidc.client_secret_file, oidc.client_secret_env, environment),
        )
    return ProviderSettings(oidc.issuer, oidc.client_id, secret, tuple(oidc.scopes))


def policy(table: PolicyTable) -> Policy:
    """With an answer for every type."""
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


def telling(path: Path, settings: Settings) -> Telling:
    """What agents are told, and when a reason is asked for."""
    try:
        return policy_of(settings.told, settings.reason)
    except SettingError as error:
        raise ConfigError(f"{path}: {error}") from None


def hooks(path: Path, tables: list[Webhook], environment: Mapping[str, str]) -> tuple[Hook, ...]:
    """Whom to tell, with the secrets that what is told is signed with."""
    found: list[Hook] = []
    for index, table in enumerate(tables):
        key = f"{path}: webhook[{index}]"
        if fault := fault_of(table.url):
            raise ConfigError(f"{key}.url: {fault}")
        if table.url in [hook.url for hook in found]:
            raise ConfigError(f"{key}.url: stands twice, but must be unique")
        secret = secret_of(key, "secret", path.parent, table.secret_file, "", environment)
        if len(secret) < SECRET_LEAST:
            raise ConfigError(f"{key}.secret_file: must hold at least {SECRET_LEAST} characters")
        found.append(Hook(table.url, secret, frozenset(table.events)))
    return tuple(found)


PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mail(path: Path, settings: Settings, environment: Mapping[str, str]) -> MailSettings | None:
    """None where nobody is written to."""
    table = settings.mail
    if table is None:
        return None
    key = f"{path}: mail"
    if not is_email(table.sender):
        raise ConfigError(f"{key}.sender: must be an address such as monitord@example.org")
    page = table.page or next(iter(settings.server.origins), "")
    if fault := fault_of(page):
        if not page:
            fault = "must be given where there is no server.origins, for the link in a mail"
        raise ConfigError(f"{key}.page: {fault}")
    return MailSettings(
        host=table.host,
        port=PORTS[table.security] if table.port is None else table.port,
        security=table.security,
        sender=table.sender,
        page=page.rstrip("/"),
        user=table.user,
        password=_mail_password(path, table, environment),
    )


def _mail_password(path: Path, table: Mail, environment: Mapping[str, str]) -> str:
    key = f"{path}: mail"
    if table.password_file and table.password_env:
        raise ConfigError(f"{key}: only one of password_file and password_env can be given")
    given = bool(table.password_file or table.password_env)
    if given != bool(table.user):
        rule = "user and its password_file or password_env belong together"
        raise ConfigError(f"{key}.user: {rule}")
    if not given:
        return ""
    local = table.host in ("127.0.0.1", "::1", "localhost")
    if table.security == "none" and not local:
        raise ConfigError(f"{key}.security: a password is not sent over the network in the clear")
    return secret_of(
        *(key, "password", path.parent),
        *(table.password_file, table.password_env, environment),
    )


def first_people(settings: Settings) -> list[First]:
    """The people for the first start of a database."""
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
                email=p.email,
            ),
            endpoints=tuple(p.endpoints),
            login=p.login,
            password_hash=p.password_hash,
        )
        for p in settings.people
    ]


def site(settings: Settings) -> Site:
    """What the rules of the domain know of the site before the roster is read."""
    assert all(label in LABELS for label in settings.variables.values())
    return Site(
        variables=dict(settings.variables),
        people=everybody_of(first_people(settings)).roster.known(0),
        agent_patterns=tuple(settings.agents.patterns),
        wrap_up_reasons=frozenset(settings.agents.wrap_up_reasons),
        wrap_up_s=dict(settings.agents.wrap_up_s),
        keypads=frozenset(p.id for p in settings.pbx if p.keypad),
        payment_event=settings.policy.payment_event,
        score_event=settings.score.event,
    )
