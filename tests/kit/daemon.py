"""The real daemon, put together as `monitord run` does it, on a port and ledger of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher

from monitord.ami.link import DEFAULT_TIMING, Item, Timing
from monitord.app import Running, running
from monitord.config import Loaded, load
from monitord.people.passwords import hash_password
from tests.kit.stores import Store

PASSWORD = "a password only for tests"


@cache
def password_hash() -> str:
    """Cheap to verify: hundreds of daemons are signed in at, none of them worth an attack."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@cache
def dear_password_hash() -> str:
    """As monitord makes them."""
    return hash_password(PASSWORD)


@dataclass
class Site:
    """The settings of one test's site."""

    ami_port: int
    secret: str
    pbx: str = "lab"
    extra: str = ""
    keypad: bool = False
    server: str = ""
    """Further lines of [server]."""
    variables: str = 'CAMPAIGN = "campaign"\nLIST = "list"\nRESULT = "result"'
    """The lines of [variables]."""
    store: Store | None = None
    """The ledger's database; None for a file in the settings' folder."""
    people: str = field(
        default_factory=lambda: (
            f"""
[[people]]
id = "ina"
name = "Ina Viewer"
login = "ina"
role = "QA manager"
password_hash = "{password_hash()}"

[[people]]
id = "sue"
name = "Sue Supervisor"
login = "sue"
role = "supervisor"
password_hash = "{password_hash()}"
endpoints = ["PJSIP/2001"]

[[people]]
id = "tom"
name = "Tom Trainer"
role = "supervisor"
endpoints = ["PJSIP/2002"]

[[people]]
id = "ann"
name = "Ann Agent"
endpoints = ["PJSIP/1001"]
agent = true

[[people]]
id = "sid"
name = "Sid Silent"
endpoints = ["PJSIP/1009"]
agent = true
"""
        )
    )

    def write(self, folder: Path) -> Path:
        """The settings file; the secret stands beside it."""
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(self.secret + "\n")
        path = folder / "monitord.toml"
        path.write_text(
            f"""
[server]
port = 0
{self.server}

[store]
{self.store.settings(folder) if self.store else ""}

[[pbx]]
id = "{self.pbx}"
port = {self.ami_port}
secret_file = "secret"
keypad = {str(self.keypad).lower()}

[variables]
{self.variables}

[agents]
patterns = ["PJSIP/10011"]

[agents.wrap_up_s]
support = 2
{self.extra}
{self.people}
"""
        )
        return path

    def load(self, folder: Path) -> Loaded:
        return load(self.write(folder), {})


@asynccontextmanager
async def daemon(
    site: Site,
    folder: Path,
    tap: Callable[[str, Item], None] | None = None,
    timing: Timing = DEFAULT_TIMING,
    loaded: Loaded | None = None,
) -> AsyncIterator[Running]:
    """For tests of the API and the stream. The page itself is the browser tests' business; here
    small files stand for it, so that these tests run before it is built."""
    page = folder / "page"
    for name in (
        "index.html",
        "sign-in.html",
        "link.html",
        "assets/app/app.js",
        "assets/sign-in/in.js",
    ):
        file = page / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<!-- {name} -->")
    loaded = loaded or site.load(folder)
    async with running(loaded, tap=tap, page_folder=page, timing=timing) as started:
        yield started
