"""Rules that one key cannot be held against by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from monitord.api.edge import networks
from monitord.audit.sinks import syslog_address
from monitord.config.errors import ConfigError
from monitord.config.parts import first_people
from monitord.config.tables import Audit, Server, Settings
from monitord.outbox.settings import fault_of
from monitord.people import rules
from monitord.people.bootstrap import everybody_of
from monitord.people.passwords import is_hash
from monitord.people.permissions import Role
from monitord.people.rules import RosterError
from monitord.recordings import template

Refuse = Callable[[str, str], NoReturn]
"""Given the key and the rule."""


def check(path: Path, settings: Settings) -> None:
    """
    Raises:
        ConfigError: with the first key that breaks its rule.
    """

    def refuse(key: str, rule: str) -> NoReturn:
        raise ConfigError(f"{path}: {key}: {rule}")

    _unique(settings, refuse)
    _people(settings, refuse)
    _variables(settings, refuse)
    _server(settings.server, refuse)
    _hosts(settings, refuse)
    _audit(settings.audit, refuse)
    _recordings(settings, refuse)


def _recordings(settings: Settings, refuse: Refuse) -> None:
    table = settings.recordings
    if table.url is not None:
        if table.folder is not None:
            refuse("recordings.url", "either this or recordings.folder")
        if fault := template.fault_of(table.url):
            refuse("recordings.url", fault)
    of_file = table.folder or (table.url and template.Template(table.url).of_file)
    if of_file and "recording" not in settings.variables.values():
        refuse(
            "recordings.folder" if table.folder else "recordings.url",
            'needs a variable that names the files: MIXMONITOR_FILENAME = "recording" under '
            "[variables]",
        )


def _audit(audit: Audit, refuse: Refuse) -> None:
    if audit.syslog:
        try:
            syslog_address(audit.syslog)
        except ValueError as error:
            refuse("audit.syslog", str(error))
    if audit.webhook and (fault := fault_of(audit.webhook)):
        refuse("audit.webhook", fault)


def _unique(settings: Settings, refuse: Refuse) -> None:
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


def _people(settings: Settings, refuse: Refuse) -> None:
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
        rules.check(everybody_of(first_people(settings)).roster)
    except RosterError as error:
        refuse(f"people.{error.field}", error.rule)


def _variables(settings: Settings, refuse: Refuse) -> None:
    for name in settings.variables:
        if not re.fullmatch(r"[A-Za-z0-9(),]{1,80}|[A-Za-z][A-Za-z0-9_]{0,79}", name):
            refuse(f"variables.{name}", "is no channel variable's name (write it without __)")
    for label, times in Counter(settings.variables.values()).items():
        if times > 1:
            refuse("variables", f"only one variable can carry {label!r}, not {times}")
    if settings.score.event == settings.policy.payment_event:
        refuse("score.event", "must not be that of policy.payment_event")


def _server(server: Server, refuse: Refuse) -> None:
    for index, origin in enumerate(server.origins):
        # As browsers send it, since it is compared letter by letter.
        if not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin):
            refuse(
                f"server.origins[{index}]",
                "must look like https://host or https://host:port, in small letters",
            )
        if re.fullmatch(r"http://.*:80|https://.*:443", origin):
            refuse(f"server.origins[{index}]", "must be without the port, as browsers leave it out")
    try:
        networks(server.proxies)
    except ValueError as error:
        refuse("server.proxies", f"{error}; must be addresses or networks such as 10.0.0.0/8")
    if bool(server.tls_certificate) != bool(server.tls_key):
        missing = "tls_key" if server.tls_certificate else "tls_certificate"
        refuse(f"server.{missing}", "is missing; certificate and key belong together")


def _hosts(settings: Settings, refuse: Refuse) -> None:
    hosts = [("server.host", settings.server.host)]
    hosts += [(f"pbx[{i}].host", p.host) for i, p in enumerate(settings.pbx)]
    if settings.mail is not None:
        hosts.append(("mail.host", settings.mail.host))
    for key, host in hosts:
        try:
            host.encode("idna")
        except UnicodeError:
            refuse(key, f"{host!r} cannot be the name or address of a host")
