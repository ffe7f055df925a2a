"""The people, their ways in, and what keeps both current while the daemon runs."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from contextlib import closing

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.ami.attachment import Attachment
from monitord.api.provider import Way
from monitord.assembly.errors import StartError
from monitord.audit.entry import Entry
from monitord.audit.keys import KeysError, open_keys
from monitord.audit.log import AuditLog
from monitord.config import Loaded
from monitord.domain import events as ev
from monitord.people.admission import Admission, RoleRule
from monitord.people.bootstrap import bootstrap
from monitord.people.links import Links, address, needs_administrator
from monitord.people.people import People
from monitord.people.provider import Provider
from monitord.people.sessions import Sessions
from monitord.people.signin import SignIn
from monitord.people.store import PeopleError, PeopleStore, write_setting
from monitord.people.tokens import Tokens
from monitord.people.tries import Tries
from monitord.store.engine import StoreError, visit_store
from monitord.store.recorder import Recorder

_DEVICE_KEY = "sign-in.devices"
KEEP_UP_S = 30.0


async def open_people(engine: AsyncEngine, loaded: Loaded, wall: int) -> tuple[SignIn, bytes]:
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


def way_of(loaded: Loaded, key: bytes) -> Way | None:
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


async def first_link(people: People, links: Links, audit: AuditLog) -> str | None:
    """A new link's path, where nobody who can sign in may give roles; else None. Who may read the
    daemon's output or run its commands is not known to it, so the audit log names nobody.

    Raises:
        PeopleError: it could not be written.
    """
    if not needs_administrator(people.everybody):
        return None
    token, _ = await links.make(None, audit.alongside(Entry(action="make first link")))
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
            people = People(store, await store.load())
            with closing(open_keys(loaded.keys, make=False)) as keys:
                return await first_link(people, Links(engine), AuditLog(engine, keys))
        finally:
            await engine.dispose()
    except (StoreError, PeopleError, KeysError) as error:
        raise StartError(str(error)) from None


async def keep_up(sign_in: SignIn, attachments: dict[str, Attachment]) -> None:
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


async def taken_over(
    people: People, attachments: dict[str, Attachment], recorder: Recorder
) -> None:
    """Until all PBXs' shards know the people as they are, and what they recorded is written."""
    known = people.roster.known(time.time_ns() // 1_000_000)
    for attachment in attachments.values():
        attachment.offer(ev.RosterChanged(known))
        await attachment.idle.wait()
    await recorder.settled()
