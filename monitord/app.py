"""The one place where parts are put together and started, and where they are stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web
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
)
from monitord.api import commands, page
from monitord.api.edge import Edge, networks
from monitord.api.listen import Tls
from monitord.api.recordings import Recordings
from monitord.api.server import Parts, make_app
from monitord.assembly.alone import alone
from monitord.assembly.audit import known_from, open_audit
from monitord.assembly.errors import StartError
from monitord.assembly.mail import mailer_of
from monitord.assembly.people import first_link, keep_up, open_people, taken_over, way_of
from monitord.assembly.web import serving, tls_of
from monitord.audit.keeping import heads_of, kept_in
from monitord.audit.log import AuditLog
from monitord.audit.observed import observe, observe_again
from monitord.audit.people import attribution as attribution_said
from monitord.audit.proving import Prover
from monitord.audit.reader import Reader
from monitord.coaching.store import CoachingStore
from monitord.config import Loaded
from monitord.csat.counts import TimingCounts
from monitord.csat.intake import Intake
from monitord.csat.settings import ScaleStore
from monitord.csat.store import WAITING_MOST, ScoreStore
from monitord.csat.work import Scores
from monitord.domain.ledger import OutgoingRecord
from monitord.flags.board import Board
from monitord.flags.counts import FlagCounts
from monitord.flags.outgoing import Outgoing
from monitord.flags.settings import SettingsStore
from monitord.flags.store import FlagStore
from monitord.flags.work import Flags
from monitord.live.hub import Hub
from monitord.outbox.mail import Mail
from monitord.outbox.post import Post
from monitord.outbox.sender import Sender
from monitord.outbox.store import OutboxStore
from monitord.people.attribution import Attribution
from monitord.people.links import Links
from monitord.people.rules import RosterError
from monitord.people.seen import SeenEndpoints
from monitord.people.store import PeopleError
from monitord.privacy.erasure import Around
from monitord.privacy.work import privacy_of
from monitord.recordings.plays import Plays
from monitord.recordings.store import RecordingStore
from monitord.store.engine import StoreError, open_store
from monitord.store.history import History, UnreadableError
from monitord.store.memory import remembered
from monitord.store.recorder import Recorder
from monitord.store.team import TeamCounts
from monitord.store.views import ViewStore
from monitord.told.reasons import ReasonStore
from monitord.told.store import NoticeStore
from monitord.told.watch import Teller

STOP_S = 10.0
"""How long a stop may take in all before it says what it left."""


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
    link: str | None
    """The one of this start, where it was asked for and is needed."""


@asynccontextmanager
async def running(
    loaded: Loaded,
    *,
    tap: Callable[[str, Item], None] | None = None,
    page_folder: Path = page.FOLDER,
    timing: Timing = DEFAULT_TIMING,
    make_link: Callable[[LinkSettings, Sink], AnyLink] | None = None,
    link_first: bool = False,
) -> AsyncIterator[Running]:
    """The whole daemon, from opening the ledger to draining it.

    ``tap`` sees (PBX id, item) for all that comes from AMI, before it is applied, and first of
    all what the ledger remembers. ``make_link`` makes what stands in the place of the links to the
    PBXs, as a replay does. ``link_first``: where nobody may give roles, make a link for the first
    administrator.

    Raises:
        StartError: with what to do.
    """
    log = structlog.get_logger("app")
    missing = page.missing(page_folder)
    if missing is not None:
        raise StartError(missing)
    with alone(loaded.folder):
        try:
            engine = await open_store(loaded.store_url, known_from(loaded))
        except StoreError as error:
            raise StartError(str(error)) from None
        keys = None
        try:
            keys, audit = await open_audit(engine, loaded)
            recorder = Recorder(engine)
            recorder.observe = observe(audit)
            hub = Hub(
                [(p.id, p.name or p.id) for p in loaded.settings.pbx],
                loaded.site,
                lambda records: teller.take(scores.intake.taken(records)),
            )
            scores = _scores(engine, audit, recorder)
            mailer = mailer_of(loaded.mail, lambda: people.roster)
            sender = Sender(OutboxStore(engine), loaded.hooks, mailer=mailer)
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
                    score_event=loaded.site.score_event,
                    variables=loaded.site.variables,
                )
                for link in loaded.links
            }
            recorder.live = lambda: {p: attachments[p].seen for p in hub.live_pbxs()}
            try:
                wall = time.time_ns() // 1_000_000
                sign_in, device_key = await open_people(engine, loaded, wall)
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
                recorder.committed = partial(_written, teller, sender, scores.store)
                await scores.scale.load()
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
            outgoing = Outgoing(Post(loaded.hooks), Mail(loaded.mail is not None))
            flag_store = FlagStore(engine, audit, outgoing, sender.wake)
            flags = Flags(
                flag_store,
                Board(hub, flag_store),
                SettingsStore(engine),
                FlagCounts(engine),
                recorder.caught_up,
            )
            try:
                await flags.settings.load()
                await never.load()
                await alerts.load()
                # Before anybody can know that it runs, and make another one by the command.
                link = await first_link(people, links, audit) if link_first else None
            except (UnreadableError, PeopleError) as error:
                raise StartError(str(error)) from None
            if not people.by_login:
                log.warning("nobody_can_sign_in", file=str(loaded.path))
            attribution = Attribution(
                people,
                engine,
                lambda: taken_over(people, attachments, recorder),
                observe_again(audit),
                attribution_said(audit),
            )
            around = Around(
                *(people, sign_in.sessions, sign_in.tokens, seen, recorder, alerts),
                *(teller, never, attribution, flags.board),
                pbxs=lambda: hub.shards,
            )
            privacy = privacy_of(engine, audit, loaded.keep, around)
            tls = tls_of(loaded)
            server = loaded.settings.server
            application = make_app(
                Parts(
                    hub=hub,
                    history=History(engine, recorder.caught_up),
                    alerts=alerts,
                    teller=teller,
                    never=never,
                    flags=flags,
                    coaching=CoachingStore(engine, audit),
                    scores=scores,
                    recordings=Recordings(
                        RecordingStore(engine),
                        loaded.recordings,
                        loaded.settings.recordings.pbx_folder,
                        Plays(),
                        loaded.recordings_at,
                    ),
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
                    way=way_of(loaded, device_key),
                    page=page_folder,
                )
            )
            writing = asyncio.create_task(recorder.run(), name="recorder")
            keeping = asyncio.create_task(keep_up(sign_in, attachments), name="people")
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
                asyncio.create_task(flags.board.run(), name="flags"),
                asyncio.create_task(
                    scores.store.run(lambda: time.time_ns() // 1_000_000), name="scores"
                ),
            ]
            attached = [
                asyncio.create_task(a.run(), name=f"attachment {p}") for p, a in attachments.items()
            ]
            try:
                async with serving(loaded, application, tls) as url:
                    log.info("started", version=__version__, url=url, pbxs=len(attachments))
                    yield Running(
                        *(url, hub, recorder, attachments, application),
                        tasks=[writing, keeping, *upkeep, *attached],
                        attribution=attribution,
                        tls=tls,
                        first_link=partial(first_link, people, links, audit),
                        link=link,
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


def _scores(engine: AsyncEngine, audit: AuditLog, recorder: Recorder) -> Scores:
    store, scale = ScoreStore(engine, audit), ScaleStore(engine)
    intake = Intake(lambda: scale.now, lambda: store.waiting >= WAITING_MOST)
    return Scores(store, scale, intake, TimingCounts(engine), recorder.caught_up)


def _written(teller: Teller, sender: Sender, scores: ScoreStore, kinds: frozenset[type]) -> None:
    teller.written(kinds)
    scores.written(kinds)
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
