"""The one place where parts are put together and started, and where they are stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord import __version__
from monitord.alerts.never import NeverMonitor
from monitord.alerts.store import AlertStore
from monitord.alerts.watch import Watch
from monitord.ami.attachment import Attachment
from monitord.ami.gateway import Gateway
from monitord.ami.link import (
    DEFAULT_TIMING,
    AnyLink,
    Item,
    LinkSettings,
    Sink,
    Step,
    Timing,
    words,
)
from monitord.api import commands, page
from monitord.api.edge import Edge, networks
from monitord.api.keys import STREAMS
from monitord.api.listen import Tls, TlsError
from monitord.api.provider import Way
from monitord.api.server import Parts, listen_on, make_app, make_runner
from monitord.audit import adoption
from monitord.audit.keeping import heads_of, kept_in
from monitord.audit.keys import Keys, open_keys
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.observed import observe, observe_again
from monitord.audit.proving import Prover
from monitord.audit.reader import Reader
from monitord.audit.starts import started
from monitord.config import Loaded
from monitord.domain import events as ev
from monitord.domain.ledger import OutgoingRecord
from monitord.live.hub import Hub
from monitord.outbox.post import Post
from monitord.outbox.sender import Sender
from monitord.outbox.store import OutboxStore
from monitord.people.admission import Admission, RoleRule
from monitord.people.attribution import Attribution
from monitord.people.bootstrap import bootstrap
from monitord.people.links import Links, address, needs_administrator
from monitord.people.people import People
from monitord.people.provider import Provider
from monitord.people.rules import RosterError
from monitord.people.seen import SeenEndpoints
from monitord.people.sessions import Sessions
from monitord.people.signin import SignIn
from monitord.people.store import PeopleError, PeopleStore, write_setting
from monitord.people.tokens import Tokens
from monitord.people.tries import Tries
from monitord.privacy.erasure import Around
from monitord.privacy.receipts import finish_all
from monitord.privacy.work import privacy_of
from monitord.store.engine import StoreError, open_store, reason_of, visit_store
from monitord.store.history import History, UnreadableError
from monitord.store.memory import remembered
from monitord.store.recorder import Recorder
from monitord.store.team import TeamCounts
from monitord.store.traces import sweep
from monitord.store.views import ViewStore
from monitord.told.reasons import ReasonStore
from monitord.told.store import NoticeStore
from monitord.told.watch import Teller

STOP_S = 10.0
"""How long a stop may take in all before it says what it left."""


class StartError(Exception):
    """The daemon cannot start. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started daemon."""

    url: str
    hub: Hub
    recorder: Recorder
    attachments: dict[str, Attachment]
    web: web.Application
    tasks: list[asyncio.Task[None]]
    """Run until the daemon stops; one that ends before is a fault."""
    attribution: Attribution
    tls: Tls | None
    """Where it serves https itself."""
    first_link: Callable[[], Awaitable[str | None]]
    """Makes the path of a new link for the first administrator; None where there is one."""


@contextlib.contextmanager
def alone(folder: Path | None) -> Iterator[None]:
    """Only one daemon may write one ledger. PostgreSQL sees to it by itself (store.postgres).

    Raises:
        StartError: another one runs, or the folder cannot be used.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"store.folder: {folder}: {error.strerror}") from None
    path = folder / "monitord.lock"
    try:
        file: IO[str] = path.open("a+")
    except OSError as error:
        raise StartError(f"store.folder: {path} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"another monitord already runs on {folder}; stop it, or name another store.folder"
            ) from None
        except OSError as error:
            raise StartError(f"store.folder: {path} cannot be locked: {error.strerror}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
    finally:
        file.close()


@asynccontextmanager
async def running(
    loaded: Loaded,
    *,
    tap: Callable[[str, Item], None] | None = None,
    page_folder: Path = page.FOLDER,
    timing: Timing = DEFAULT_TIMING,
    make_link: Callable[[LinkSettings, Sink], AnyLink] | None = None,
) -> AsyncIterator[Running]:
    """The whole daemon, from opening the ledger to draining it.

    ``tap`` sees (PBX id, item) for all that comes from AMI, before it is applied, and first of
    all what the ledger remembers. ``make_link`` makes what stands in the place of the links to the
    PBXs, as a replay does.

    Raises:
        StartError: with what to do.
    """
    log = structlog.get_logger("app")
    missing = page.missing(page_folder)
    if missing is not None:
        raise StartError(missing)
    with alone(loaded.folder):
        try:
            engine = await open_store(loaded.store_url)
        except StoreError as error:
            raise StartError(str(error)) from None
        keys = None
        try:
            keys, audit = await _audit(engine, loaded)
            recorder = Recorder(engine)
            recorder.observe = observe(audit)
            hub = Hub(
                [(p.id, p.name or p.id) for p in loaded.settings.pbx],
                loaded.site,
                lambda records: teller.take(records),
            )
            sender = Sender(OutboxStore(engine), loaded.hooks)
            attachments = {
                link.pbx: Attachment(
                    link,
                    hub.apply,
                    hub.flush,
                    tap=None if tap is None else _bound(tap, link.pbx),
                    is_spyer=partial(hub.is_spyer, link.pbx),
                    timing=timing,
                    make_link=make_link,
                    payment_event=loaded.site.payment_event,
                )
                for link in loaded.links
            }
            recorder.live = lambda: {p: attachments[p].seen for p in hub.live_pbxs()}
            try:
                wall = time.time_ns() // 1_000_000
                sign_in, device_key = await _people(engine, loaded, wall)
                people, links = sign_in.people, Links(engine)
                seen = SeenEndpoints(engine, hub)
                await seen.load()
                hub.know(people.roster.known(wall))
                # Before what the ledger remembers is applied, which may lead to records.
                teller = Teller(
                    hub,
                    people,
                    NoticeStore(engine),
                    ReasonStore(engine, audit),
                    recorder.take,
                    loaded.telling,
                    Post(loaded.hooks),
                    sender.wake,
                )
                await teller.load()
                recorder.committed = partial(_written, teller, sender)
                for pbx, attachment in attachments.items():
                    now, memory = attachment.link.now(), await remembered(engine, pbx)
                    if tap is not None:
                        tap(pbx, Step(now.mono, now.wall, memory))
                    hub.apply(pbx, memory, now)
            except (StoreError, PeopleError, RosterError, UnreadableError) as error:
                raise StartError(str(error)) from None
            never = NeverMonitor(engine)
            alerts = Watch(
                hub, people, AlertStore(engine), audit, recorder.take, loaded.policy, never
            )
            try:
                await never.load()
                await alerts.load()
            except (UnreadableError, PeopleError) as error:
                raise StartError(str(error)) from None
            if not people.by_login:
                log.warning("nobody_can_sign_in", file=str(loaded.path))
            attribution = Attribution(
                people,
                engine,
                lambda: _taken_over(people, attachments, recorder),
                observe_again(audit),
            )
            around = Around(
                *(people, sign_in.sessions, sign_in.tokens, seen, recorder, alerts),
                *(teller, never, attribution),
                pbxs=lambda: hub.shards,
            )
            privacy = privacy_of(engine, audit, loaded.keep, around)
            tls = _tls(loaded)
            server = loaded.settings.server
            application = make_app(
                Parts(
                    hub=hub,
                    history=History(engine),
                    alerts=alerts,
                    teller=teller,
                    never=never,
                    team_counts=TeamCounts(engine),
                    views=ViewStore(engine),
                    audit=audit,
                    audit_reader=Reader(engine, keys),
                    prover=Prover(engine, audit, kept_in(keys, loaded.keeping)),
                    people=people,
                    seen=seen,
                    sessions=sign_in.sessions,
                    sign_in=sign_in,
                    gateway=Gateway({p: a.link for p, a in attachments.items()}),
                    attachments=attachments,
                    tokens=sign_in.tokens,
                    links=links,
                    privacy=privacy,
                    edge=Edge(
                        frozenset(server.origins), server.secure_cookie, networks(server.proxies)
                    ),
                    way=_way(loaded, device_key),
                    page=page_folder,
                )
            )
            writing = asyncio.create_task(recorder.run(), name="recorder")
            keeping = asyncio.create_task(_keep_up(sign_in, attachments), name="people")
            watching = asyncio.create_task(
                alerts.run(partial(commands.end_by_policy, application)), name="alerts"
            )
            heads = heads_of(engine, keys, loaded.keeping)
            upkeep = [
                watching,
                asyncio.create_task(heads.run(), name="heads of the audit log"),
                asyncio.create_task(attribution.run(), name="attribution"),
                asyncio.create_task(seen.run(), name="endpoints seen"),
                asyncio.create_task(privacy.retention.run(), name="retention"),
                asyncio.create_task(teller.run(), name="notices"),
                asyncio.create_task(sender.run(), name="webhooks"),
            ]
            attached = [
                asyncio.create_task(a.run(), name=f"attachment {p}") for p, a in attachments.items()
            ]
            try:
                async with _serving(loaded, application, tls) as url:
                    log.info("started", version=__version__, url=url, pbxs=len(attachments))
                    yield Running(
                        *(url, hub, recorder, attachments, application),
                        tasks=[writing, keeping, *upkeep, *attached],
                        attribution=attribution,
                        tls=tls,
                        first_link=partial(first_link, people, links),
                    )
            finally:
                await stop_tasks([keeping, *upkeep, *attached])
                await seen.write()
                await stop_tasks([writing])
                left = await recorder.drain()
                await heads.give()
                if left:
                    log.error("rows_left_unwritten", rows=left, why=recorder.failing)
                log.info("stopped")
        finally:
            await engine.dispose()
            if keys is not None:
                keys.close()


async def _audit(engine: AsyncEngine, loaded: Loaded) -> tuple[Keys, AuditLog]:
    """The audit log with its keys, which must be those that it was begun with."""
    path = loaded.keys
    try:
        begun = await adoption.is_begun(engine)
        if not begun:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = open_keys(path, make=not begun)
    except OSError as error:
        raise StartError(f"store.keys: {error.strerror or error}") from None
    except SQLAlchemyError as error:
        raise StartError(f"the audit log cannot be read: {reason_of(error)}") from None
    audit = AuditLog(engine, keys)
    settings = msgspec.to_builtins(loaded.settings)
    settings.pop("people", None)
    settings["record"].pop("scrub_numbers")  # customers' numbers
    try:
        await adoption.begin(engine, audit)
        await started(engine, audit, __version__, settings)
        ended = await finish_all(engine, audit)
    except AuditError as error:
        keys.close()
        raise StartError(f"the audit log: {error}") from None
    except (SQLAlchemyError, OSError) as error:
        keys.close()
        raise StartError(f"an erasure that was begun: {reason_of(error)}") from None
    if ended:
        structlog.get_logger("privacy").info("erasures_ended", erasures=ended)
        # Whom they were of is not known any more.
        if why := await sweep(engine, None):
            structlog.get_logger("privacy").error("erased_may_be_in_free_space", why=why)
    return keys, audit


async def _people(engine: AsyncEngine, loaded: Loaded, wall: int) -> tuple[SignIn, bytes]:
    """The people and their ways in, and the key that signs what browsers keep."""
    store = PeopleStore(engine)
    people = People(store, await store.load())
    log = structlog.get_logger("people")
    if await bootstrap(people, store, loaded.first, wall):
        log.info("roster_begun", people=len(loaded.first))
    elif loaded.first:
        log.info("settings_people_ignored", why="the roster is in the database; change it there")
    sessions, tokens = Sessions(engine), Tokens(engine)
    await sessions.load()
    await tokens.load()
    secret = await store.setting(_DEVICE_KEY)
    if secret is None:
        secret = secrets.token_hex(32)
        await people.change(lambda old: old, write_setting(_DEVICE_KEY, secret))
    key = bytes.fromhex(secret)
    return SignIn(people, sessions, Tries(key), tokens), key


def _way(loaded: Loaded, key: bytes) -> Way | None:
    oidc = loaded.settings.oidc
    if oidc is None or loaded.provider is None:
        return None
    admission = Admission(
        issuer=oidc.issuer,
        login_claim=oidc.login_claim,
        roles_claim=oidc.roles_claim,
        roles=tuple(RoleRule(r.value, r.role, r.scope) for r in oidc.roles),
        create=oidc.create,
    )
    return Way(Provider(loaded.provider), admission, oidc.text, key)


def _tls(loaded: Loaded) -> Tls | None:
    server, folder = loaded.settings.server, loaded.path.parent
    if not server.tls_certificate:
        return None
    try:
        return Tls(folder / server.tls_certificate, folder / server.tls_key)
    except TlsError as error:
        raise StartError(str(error)) from None


async def first_link(people: People, links: Links) -> str | None:
    """A new link's path, where nobody who can sign in may give roles; else None.

    Raises:
        PeopleError: it could not be written.
    """
    if not needs_administrator(people.everybody):
        return None
    token, _ = await links.make(None)
    return address(token)


async def admin_link(loaded: Loaded) -> str | None:
    """As ``first_link``, beside a daemon that may run on the same database.

    Raises:
        StartError: there is no database yet, or it cannot be used.
    """
    try:
        engine = await visit_store(loaded.store_url)
        try:
            store = PeopleStore(engine)
            return await first_link(People(store, await store.load()), Links(engine))
        finally:
            await engine.dispose()
    except (StoreError, PeopleError) as error:
        raise StartError(str(error)) from None


_DEVICE_KEY = "sign-in.devices"
KEEP_UP_S = 30.0


async def _keep_up(sign_in: SignIn, attachments: dict[str, Attachment]) -> None:
    """Tell the PBXs' shards who the people are when that changes, by an edit or by the date of
    one, and write down when sessions and tokens were used."""
    people = sign_in.people
    changed = asyncio.Event()
    stop = people.listen(changed.set)
    known = people.roster.known(time.time_ns() // 1_000_000)
    try:
        while True:
            now = time.time_ns() // 1_000_000
            if known != (known := people.roster.known(now)):
                for attachment in attachments.values():
                    attachment.offer(ev.RosterChanged(known))
            try:
                await sign_in.sessions.keep_up()
                await sign_in.tokens.keep_up()
            except PeopleError as error:
                structlog.get_logger("people").warning("sessions_not_written", why=str(error))
            due = people.roster.next_change(now)
            wait = KEEP_UP_S if due is None else min(KEEP_UP_S, max(0.0, (due - now) / 1000))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await changed.wait()
            changed.clear()
    finally:
        stop()


async def _taken_over(
    people: People, attachments: dict[str, Attachment], recorder: Recorder
) -> None:
    """Until all PBXs' shards know the people as they are, and what they recorded is written."""
    known = people.roster.known(time.time_ns() // 1_000_000)
    for attachment in attachments.values():
        attachment.offer(ev.RosterChanged(known))
        await attachment.idle.wait()
    await recorder.settled()


def _written(teller: Teller, sender: Sender, kinds: frozenset[type]) -> None:
    teller.written(kinds)
    if OutgoingRecord in kinds:
        sender.wake()


def _bound(tap: Callable[[str, Item], None], pbx: str) -> Callable[[Item], None]:
    return lambda item: tap(pbx, item)


async def stop_tasks(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel them, and say of each in the log that failed or did not end in time."""
    log = structlog.get_logger("app")
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    done, pending = await asyncio.wait(tasks, timeout=STOP_S)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", why=repr(error))
    if pending:
        log.error("tasks_left", tasks=len(pending))


@asynccontextmanager
async def _serving(
    loaded: Loaded, application: web.Application, tls: Tls | None
) -> AsyncIterator[str]:
    server = loaded.settings.server
    runner = make_runner(application)
    await runner.setup()
    try:
        try:
            await listen_on(runner, server.host, server.port, tls)
        except (OSError, UnicodeError) as error:
            why = words(error) if isinstance(error, OSError) else "that is no host's name"
            raise StartError(
                f"server.host, server.port: {server.host}:{server.port} cannot be listened on: "
                f"{why}. Is something else using it?"
            ) from None
        port = runner.addresses[0][1]
        host = f"[{server.host}]" if ":" in server.host else server.host
        yield f"{'https' if tls is not None else 'http'}://{host}:{port}"
    finally:
        application[STREAMS].end_all()
        await runner.cleanup()
