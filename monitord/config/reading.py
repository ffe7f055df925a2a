"""The settings file, read and checked, with all that it does not hold itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import URL

from monitord.alerts.rules import Policy
from monitord.ami.link import LinkSettings
from monitord.audit.keeping import Keeping
from monitord.audit.keys import KEYS_FILE
from monitord.blame import blame
from monitord.config import parts
from monitord.config.errors import ConfigError
from monitord.config.rules import check
from monitord.config.tables import Settings
from monitord.domain.site import Site
from monitord.outbox.mail import MailSettings
from monitord.outbox.post import Hook
from monitord.people.bootstrap import First
from monitord.people.provider import ProviderSettings
from monitord.privacy.rules import Keep
from monitord.recordings.template import Template
from monitord.told.rules import Policy as Telling

FILE_MOST = 10 << 20
"""Bytes of the settings file."""


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
    telling: Telling = Telling()
    """What agents are told, and when a reason is asked for."""
    hooks: tuple[Hook, ...] = ()
    mail: MailSettings | None = None
    provider: ProviderSettings | None = None
    """With the client's secret within."""

    @property
    def keys(self) -> Path:
        """The file of the audit log's keys."""
        named = self.settings.store.keys
        folder = self.path.parent / named if named else (self.folder or self.path.parent) / "keys"
        return folder.absolute() / KEYS_FILE

    @property
    def keeping(self) -> Keeping:
        """Of the audit log's heads."""
        table, folder = self.settings.audit, self.path.parent
        files = tuple((folder / file).absolute() for file in table.files)
        return Keeping(table.every, files, table.webhook, table.syslog)

    @property
    def keep(self) -> Keep:
        """For how long each kind of row is kept."""
        table = self.settings.retention
        flags = table.calls if table.flags is None else table.flags
        return Keep(table.supervisions, table.calls, table.agent_status, table.gaps, flags)

    @property
    def recordings(self) -> Path | None:
        """The folder of the site's recordings."""
        folder = self.settings.recordings.folder
        return (self.path.parent / folder).absolute() if folder is not None else None

    @property
    def recordings_at(self) -> Template | None:
        """Their addresses, where the site's web server has them."""
        url = self.settings.recordings.url
        return None if url is None else Template(url)

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
    check(path, settings)
    telling = parts.telling(path, settings)
    _told_in_time(path, telling, settings.retention.supervisions)
    return Loaded(
        path=path,
        settings=settings,
        links=[parts.link(path, i, p, environment) for i, p in enumerate(settings.pbx)],
        first=parts.first_people(settings),
        site=parts.site(settings),
        policy=parts.policy(settings.policy),
        telling=telling,
        hooks=parts.hooks(path, settings.webhook, environment),
        mail=parts.mail(path, settings, environment),
        store_url=parts.store_url(path, settings.store, environment),
        provider=parts.provider(path, settings.oidc, environment),
    )


def _told_in_time(path: Path, telling: Telling, days: int | None) -> None:
    """Before the supervision is removed, and with it what is to be told."""
    if days is not None and telling.longest_delay_ms >= days * 24 * 3_600_000:
        raise ConfigError(
            f"{path}: retention.supervisions: must be longer than each told.delay, or agents would "
            "not be told at all"
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
