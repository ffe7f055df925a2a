"""The demo: the simulated call centre as a program of its own, and the settings to attach to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from monitord.api.keys import PEOPLE
from monitord.app import running
from monitord.assembly.errors import StartError
from monitord.config import load
from monitord.foreground import stop_asked, until_stopped
from monitord.people.passwords import hash_password
from monitord.people.people import People
from monitord.people.permissions import Role, Scope
from monitord.people.roster import Account, Everybody, Given, Person
from monitord.people.rules import RosterError
from monitord.people.store import PeopleError
from monitord.visitors import invite, new_passwords

START_S = 60.0  # a large centre takes some seconds
STOP_S = 5.0

# The keypad of supervisors included, as the demo shows the switches that are made with it.
READ = "system,call,agent,dialplan,user,dtmf"

PAYMENTS = 0.2
"""Of the long calls, so that one soon sees what a payment looks like."""

LOGINS = {
    "viewer": (Role.QA_MANAGER, "sees everything live and its history"),
    "supervisor": (Role.SUPERVISOR, "may also disconnect"),
    "admin": (Role.ADMINISTRATOR, "also has the roster, roles and sign-in under Settings"),
    "agent": (Role.AGENT, "the first agent, who is told who listened to them"),
}
"""Role of each login, and what it is for."""

_SETTINGS = """\
# The demo's own settings, written anew at each start.
[server]
port = {page_port}

[store]
folder = "data"

[[pbx]]
id = "demo"
name = "Demo call centre"
port = {ami_port}
secret_file = "ami-secret"
keypad = true

[variables]
CAMPAIGN = "campaign"
LIST = "list"
RESULT = "result"

[told]
who = true
reason = true

[told.when]
Monitor = "after the call"
Coach = "start and end"
Barge = "start and end"
Barge-Kick = "start and end"

[reason]
ask = "asked"
{people}"""


@dataclass(frozen=True, slots=True)
class Centre:
    """The simulated centre, once it runs."""

    port: int
    """On which it speaks AMI."""
    roster: list[dict[str, Any]]
    """Endpoint, name and whether it is an agent, of everybody."""


@asynccontextmanager
async def simulator(folder: Path, **options: object) -> AsyncIterator[Centre]:
    """Run the simulated centre. ``options``: those of its command line, with underscores; one that
    is None is left out.

    Raises:
        StartError: it does not start.
    """
    secret = secrets.token_urlsafe(24)
    _write(folder / "ami-secret", secret + "\n")
    roster = folder / "roster.json"
    given = {"port": 0, "read": READ, "roster": roster, "payment_share": PAYMENTS, **options}
    arguments = [
        f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "monitord.simulator", *arguments),
        env={**os.environ, "MONITORD_SIM_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
        # Its own group would outlive a Ctrl-C meant for both.
    )
    assert process.stdout is not None
    try:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_S)
            port = int(line.decode().rpartition(":")[2])
            people = json.loads(roster.read_text(encoding="utf-8"))
        except (OSError, TimeoutError, ValueError):
            raise StartError(
                "the simulated call centre did not start; what it said is above"
            ) from None
        yield Centre(port, people)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def demo(port: int, folder: Path, options: dict[str, Any]) -> None:
    """The centre and the daemon attached to it, until the process is asked to end. ``options``: as
    ``simulator`` takes them.

    Raises:
        StartError: with what to do.
    """
    click.echo(
        f"demo: starting the simulated call centre, {options['agents']} agents and "
        f"{options['supervisors']} supervisors",
        err=True,
    )
    async with simulator(folder, **options) as centre:
        passwords = new_passwords(LOGINS)
        path = _write_settings(folder, centre, port)
        click.echo(f"demo: it speaks AMI on 127.0.0.1:{centre.port}; starting monitord", err=True)
        async with running(load(path)) as daemon:
            agent = next((_id_of(one) for one in centre.roster if one["agent"]), None)
            await give_logins(daemon.web[PEOPLE], passwords, agent)
            await daemon.attachments["demo"].link.live.wait()
            more = [f"Ctrl-C ends it. The ledger stays in {folder / 'data'}"]
            if options["outages_per_hour"]:
                more = [
                    "Now and then the PBX is out of reach for some seconds; that is meant.",
                    *more,
                ]
            may = {login: f"{role}: {what}" for login, (role, what) in LOGINS.items()}
            invite(daemon.url, passwords, may, *more)
            await until_stopped(daemon.tasks, stop_asked())


def _write_settings(folder: Path, centre: Centre, page_port: int) -> Path:
    """The demo's settings; gives their file."""
    leads = _led(centre, datetime.now(UTC).date())
    people = "".join(
        f'\n[[people]]\nid = "{_id_of(one)}"\nname = "{one["name"]}"\n'
        f'endpoints = ["{one["endpoint"]}"]\nagent = {str(one["agent"]).lower()}\n'
        + (leads.get(_id_of(one), "") if one["agent"] else 'role = "supervisor"\n')
        for one in centre.roster
    )
    path = folder / "monitord.toml"
    _write(path, _SETTINGS.format(page_port=page_port, ami_port=centre.port, people=people))
    return path


def _led(centre: Centre, today: date) -> dict[str, str]:
    """Lines that say whose direct report each agent is, in shares that are alike; the last agent is
    new, so that one sees how new ones are talked with."""
    agents = [_id_of(one) for one in centre.roster if one["agent"]]
    leaders = [_id_of(one) for one in centre.roster if not one["agent"]]
    if not (agents and leaders):
        return {}
    lines = {
        agent: f'leader = "{leaders[n * len(leaders) // len(agents)]}"\n'
        for n, agent in enumerate(agents)
    }
    lines[agents[-1]] += f'hired = "{(today - timedelta(days=10)).isoformat()}"\n'
    return lines


def _id_of(one: Mapping[str, Any]) -> str:
    """Of somebody of the centre, on the roster."""
    return str(one["endpoint"]).rpartition("/")[2]


async def give_logins(people: People, passwords: Mapping[str, str], agent: str | None) -> None:
    """Put the demo's own logins on the roster, with these passwords and their roles, whatever an
    earlier start has left of them there: the settings' people begin a roster and no more.

    ``agent``: id of the agent who signs in as such.

    Raises:
        StartError: the roster does not take them.
    """
    fresh = {
        person: Account(person, login, hash_password(password))
        for login, password in passwords.items()
        if (person := agent if LOGINS[login][0] is Role.AGENT else login) is not None
    }

    def edit(old: Everybody) -> Everybody:
        everyone = dict(old.roster.people)
        for person, account in fresh.items():
            before = everyone.get(person) or Person(person, f"Demo {person}")
            role = LOGINS[account.login][0]
            roles = (Given(role, None if role is Role.AGENT else Scope.ALL),)
            everyone[person] = msgspec.structs.replace(before, roles=roles, active=True)
        logins = {account.login for account in fresh.values()}
        others = (
            a for a in old.accounts if a.person not in fresh and a.login.casefold() not in logins
        )
        roster = msgspec.structs.replace(old.roster, people=everyone)
        return Everybody(roster, (*others, *fresh.values()))

    try:
        await people.change(edit)
    except (RosterError, PeopleError) as error:
        raise StartError(f"the demo's logins could not be given: {error}") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
