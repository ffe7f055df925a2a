"""The demo: the simulated call centre as a program of its own, and the settings to attach to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.app import StartError
from monitord.people.passwords import hash_password

START_S = 60.0  # a large centre takes some seconds
STOP_S = 5.0

# The keypad of supervisors included, as the demo shows the switches that are made with it.
READ = "system,call,agent,dialplan,user,dtmf"

PAYMENTS = 0.2
"""Of the long calls, so that one soon sees what a payment looks like."""

LOGINS = {"viewer": "may see", "supervisor": "may see and disconnect"}
ROLES = {"viewer": "QA manager", "supervisor": "supervisor"}

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


def settings(folder: Path, centre: Centre, page_port: int) -> tuple[Path, dict[str, str]]:
    """Write the demo's settings; gives their file, and login to password.

    The passwords are new at each start, unless MONITORD_DEMO_PASSWORD gives one for both.
    """
    given = os.environ.get("MONITORD_DEMO_PASSWORD", "")
    passwords = {login: given or secrets.token_urlsafe(9) for login in LOGINS}
    people = "".join(
        f'\n[[people]]\nid = "{login}"\nname = "Demo {login}"\nlogin = "{login}"\n'
        f'role = "{ROLES[login]}"\npassword_hash = "{hash_password(password)}"\n'
        for login, password in passwords.items()
    )
    people += "".join(
        f'\n[[people]]\nid = "{one["endpoint"].rpartition("/")[2]}"\nname = "{one["name"]}"\n'
        f'endpoints = ["{one["endpoint"]}"]\nagent = {str(one["agent"]).lower()}\n'
        + ("" if one["agent"] else 'role = "supervisor"\n')
        for one in centre.roster
    )
    path = folder / "monitord.toml"
    _write(path, _SETTINGS.format(page_port=page_port, ami_port=centre.port, people=people))
    return path, passwords


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
