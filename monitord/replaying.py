"""A replay: the whole daemon, with a recorded trace in the place of the PBX."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from monitord.ami import trace
from monitord.ami.link import LinkSettings, Sink
from monitord.ami.playback import Playback
from monitord.api import page
from monitord.app import Running, running
from monitord.assembly.errors import StartError
from monitord.config import Loaded, Pbx, Server, Settings
from monitord.domain.site import Site
from monitord.foreground import stop_asked, until_stopped
from monitord.people.bootstrap import First
from monitord.people.passwords import hash_password
from monitord.people.permissions import Role, Scope
from monitord.people.roster import Given, Person
from monitord.store.sqlite import sqlite_url
from monitord.visitors import ROLES, invite, new_passwords

DATABASE = "replay.sqlite3"
"""Never the name of a real ledger, so that not even a daemon that is started on the folder of a
replay writes into it."""

MAY = {
    "viewer": "may see",
    "supervisor": "may see; a disconnect is refused, since there is no PBX",
}
"""By login."""


@dataclass(frozen=True, slots=True)
class Replaying:
    daemon: Running
    playback: Playback
    passwords: dict[str, str]
    """By login."""

    async def over(self) -> None:
        """Until the trace is at its end and all of it is applied."""
        await self.playback.over.wait()
        await self.daemon.attachments[self.playback.pbx].idle.wait()


async def replay(path: Path, speed: float, port: int, folder: Path | None, *, exit_: bool) -> None:
    """Show it until the process is asked to end, or with ``exit_`` until the trace is at its end.

    Raises:
        StartError: with what to do.
    """
    stop = stop_asked()
    async with replaying(path, speed=speed, port=port, folder=folder) as shown:
        if shown.playback.summary.cut:
            click.echo(f"{path}: the last line was cut while it was written; it is left out")
        click.echo(shown.playback.what)
        more = ["It ends by itself." if exit_ else "Ctrl-C ends it."]
        if folder is not None:
            more.append(f"The ledger stays in {folder}")
        invite(shown.daemon.url, shown.passwords, MAY, *more)
        over = asyncio.create_task(shown.over())
        await until_stopped([over, *shown.daemon.tasks], stop)
        if over.done():
            click.echo("the replay is over")
            sys.stdout.flush()
        if not (over.done() and exit_):
            await until_stopped(shown.daemon.tasks, stop)
        over.cancel()


@asynccontextmanager
async def replaying(
    path: Path,
    *,
    speed: float,
    port: int,
    folder: Path | None = None,
    page_folder: Path = page.FOLDER,
) -> AsyncIterator[Replaying]:
    """Start it; the trace begins at once. ``folder`` is for the ledger, and must hold none yet;
    without it the ledger is thrown away at the end.

    Raises:
        StartError: with what to do.
    """
    try:
        summary = trace.summary(path)
    except trace.TraceError as error:
        raise StartError(str(error)) from None
    if not summary.items:
        raise StartError(f"{path}: nothing was recorded in it")
    pbx = summary.header.pbx
    passwords = new_passwords()
    with _ledger(folder) as ledger:
        loaded = Loaded(
            path=ledger,
            settings=Settings(
                pbx=[Pbx(id=pbx, name=f"replay of {pbx}")],
                server=Server(port=port),
            ),
            links=[LinkSettings(pbx, path.name, 0, "", "")],
            first=[*_recorded(summary.header.site), *_logins(passwords)],
            site=summary.header.site,
            store_url=sqlite_url((ledger / DATABASE).absolute()),
        )
        playbacks: list[Playback] = []

        def play(link: LinkSettings, sink: Sink) -> Playback:
            playbacks.append(Playback(link.pbx, summary, trace.stream(path), sink, speed))
            return playbacks[0]

        async with running(loaded, page_folder=page_folder, make_link=play) as daemon:
            yield Replaying(daemon, playbacks[0], passwords)


def _recorded(site: Site) -> list[First]:
    """The people of then: a name goes with each telephone, and nobody of them can sign in. A trace
    does not hold what they were allowed, so nothing that they did is without a right."""
    return [
        First(
            Person(
                p.id,
                p.name,
                roles=(Given(Role.SUPERVISOR, Scope.ALL),),
                agent=p.agent,
                account_codes=p.account_codes,
            ),
            endpoints=p.endpoints,
        )
        for p in site.people
    ]


def _logins(passwords: dict[str, str]) -> list[First]:
    return [
        First(
            Person(f"replay-{login}", f"Replay {role}", roles=(Given(role, Scope.ALL),)),
            login=login,
            password_hash=hash_password(passwords[login]),
        )
        for login, role in ROLES.items()
    ]


@contextmanager
def _ledger(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="monitord-replay-") as made:
            yield Path(made)
        return
    found = sorted(folder.glob("*.sqlite3")) if folder.is_dir() else []
    if found:
        raise StartError(
            f"--folder: {found[0]} is a ledger already, and a replay is mixed with no other; name "
            "another folder"
        )
    yield folder
