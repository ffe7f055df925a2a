"""An administrator of the roster, over HTTP, and a daemon whose PBX cannot be reached."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from monitord.app import Running
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon, password_hash
from tests.kit.stores import Store

ROSTER = "/api/v1/roster"


def somebody(key: str, name: str, role: str = "", **more: object) -> str:
    """A table of ``[[people]]``; with a role they sign in by their id."""
    lines = [f'\n[[people]]\nid = "{key}"\nname = "{name}"']
    if role:
        lines.append(f'login = "{key}"\nrole = "{role}"\npassword_hash = "{password_hash()}"')
    lines += [f'{name} = "{value}"' for name, value in more.items()]
    return "\n".join(lines) + "\n"


MAX = somebody("max", "Max Minder", "administrator")
"""May change the roster and give roles."""


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@asynccontextmanager
async def quiet(
    folder: Path, store: Store | None = None, extra: str = MAX
) -> AsyncIterator[Running]:
    """A daemon with the tests' people and those of ``extra``, without a PBX."""
    site = Site(ami_port=nobody(), secret="x", store=store, extra=extra)
    async with daemon(site, folder) as started:
        yield started


class Editor:
    """Somebody who is signed in and asks for changes of the roster."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = None,
        **query: str,
    ) -> tuple[int, Any]:
        """Status and body; ``version`` as If-Match, the present one where it is None."""
        if version is None:
            version = await self.version()
        headers = {"If-Match": f'"{version}"'} if version else {}
        given: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            headers["Content-Type"] = "text/csv"
            given = {"data": body}
        async with self.client.http.request(
            method, ROSTER + path, headers=headers, params=query, **given
        ) as answer:
            if answer.status == 204:
                return 204, None
            found = await answer.json()
            if answer.status < 300 and isinstance(found, dict) and "version" in found:
                assert answer.headers["ETag"] == f'"{found["version"]}"'
            return answer.status, found

    async def done(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The body of what was carried out."""
        status, found = await self.ask(method, path, body, **query)
        assert status in (200, 201), (status, found)
        return found

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Status, field and message of what was not."""
        before = await self.version()
        status, found = await self.ask(method, path, body, **more)
        assert status >= 400, found
        assert await self.version() == before, "nothing was changed"
        return status, found["field"], found["message"]

    async def version(self) -> str:
        return str((await self.client.get(f"{ROSTER}/teams"))["version"])

    async def person(self, key: str) -> Any:
        return await self.client.get(f"{ROSTER}/people/{key}")


@asynccontextmanager
async def editor(url: str, login: str = "max") -> AsyncIterator[Editor]:
    async with Client(url) as client:
        assert await client.sign_in(login) == 200
        yield Editor(client)
