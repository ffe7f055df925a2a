"""`monitord run`, and the link that makes the first administrator."""

from __future__ import annotations

import asyncio
import signal

import click
import structlog

from monitord.api.listen import TlsError
from monitord.app import Running, running
from monitord.assembly.errors import StartError
from monitord.assembly.memory import settle_memory
from monitord.assembly.people import admin_link
from monitord.config import Loaded
from monitord.foreground import stop_asked, until_stopped
from monitord.notify import notify
from monitord.people.links import HOURS


async def serve(loaded: Loaded) -> None:
    """Until the process is asked to end.

    Raises:
        StartError: with what to do.
    """
    stop = stop_asked()  # first, so that a SIGTERM during the start ends it in order as well
    async with running(loaded, link_first=True) as daemon:
        click.echo(f"monitord serves the page at {daemon.url}", err=True)
        if daemon.link is not None:
            click.echo(_first_link(loaded, daemon.url, daemon.link), err=True)
        if daemon.tls is not None:
            # Without TLS there is nothing to read anew, and a lost terminal ends it as usual.
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, daemon)
        settle_memory()
        notify("READY=1")  # so that “systemctl start” says whether it did
        await until_stopped(daemon.tasks, stop)


async def print_admin_link(loaded: Loaded) -> None:
    """
    Raises:
        StartError: there is an administrator, or the database cannot be used.
    """
    path = await admin_link(loaded)
    if path is None:
        raise StartError(
            "there is an administrator already, who can make links for others under "
            "Settings > Sign-in"
        )
    server = loaded.settings.server
    scheme = "https" if server.tls_certificate else "http"
    click.echo(_first_link(loaded, f"{scheme}://{server.host}:{server.port}", path))


def _first_link(loaded: Loaded, url: str, path: str) -> str:
    # People reach it by its first name, where a proxy stands before it.
    origins = loaded.settings.server.origins
    return (
        "Nobody can sign in who may give roles. This link makes the first administrator; it works "
        f"once, within {HOURS} h:\n  {(origins[0] if origins else url)}{path}"
    )


def _reload(daemon: Running) -> None:
    log = structlog.get_logger("app")
    assert daemon.tls is not None
    try:
        daemon.tls.reload()
    except TlsError as error:
        log.error("certificate_not_reloaded", why=str(error))
    else:
        log.info("certificate_reloaded")
