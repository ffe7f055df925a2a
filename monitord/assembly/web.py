"""Where the page is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from monitord.ami.link import words
from monitord.api.keys import STREAMS
from monitord.api.listen import Tls, TlsError
from monitord.api.server import listen_on, make_runner
from monitord.assembly.errors import StartError
from monitord.config import Loaded


def tls_of(loaded: Loaded) -> Tls | None:
    server, folder = loaded.settings.server, loaded.path.parent
    if not server.tls_certificate:
        return None
    try:
        return Tls(folder / server.tls_certificate, folder / server.tls_key)
    except TlsError as error:
        raise StartError(str(error)) from None


@asynccontextmanager
async def serving(
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
