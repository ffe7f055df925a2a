"""The demo: the simulated call centre as a program of its own, and the settings to attach to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitord.app import StartError
from monitord.people.passwords import hash_password

START_S = 30.0
STOP_S = 5.0

# The roster of the demo, as the simulated centre has it.
SUPERVISORS = {
    "PJSIP/2001": "Marta Silva",
    "PJSIP/2002": "Nigel Frost",
    "PJSIP/2003": "Olga Petrova",
    "PJSIP/2004": "Priya Nair",
}

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

[variables]
CAMPAIGN = "campaign"
LIST = "list"
RESULT = "result"
{people}"""


@asynccontextmanager
async def simulator(folder: Path, *, seed: int, speed: float) -> AsyncIterator[int]:
    """Run the simulated centre; gives the port on which it speaks AMI.

    Raises:
        StartError: it does not start.
    """
    secret = secrets.token_urlsafe(24)
    _write(folder / "ami-secret", secret + "\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "monitord.simulator", "--port", "0", "--seed", str(seed), "--speed", str(speed)),
        env={**os.environ, "MONITORD_SIM_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
        # Its own group would outlive a Ctrl-C meant for both.
    )
    assert process.stdout is not None
    try:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_S)
            port = int(line.decode().rpartition(":")[2])
        except (TimeoutError, ValueError):
            raise StartError(
                "the simulated call centre did not start; what it said is above"
            ) from None
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def settings(folder: Path, ami_port: int, page_port: int) -> tuple[Path, dict[str, str]]:
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
        f'\n[[people]]\nid = "{name.split()[0].lower()}"\nname = "{name}"\n'
        f'endpoints = ["{endpoint}"]\n'
        for endpoint, name in SUPERVISORS.items()
    )
    path = folder / "monitord.toml"
    _write(path, _SETTINGS.format(page_port=page_port, ami_port=ami_port, people=people))
    return path, passwords


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
