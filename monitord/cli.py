"""The command line."""

from __future__ import annotations

import asyncio
import getpass
import io
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import IO, Any

import click
import msgspec
import structlog

from monitord import __version__
from monitord import demo as simulation
from monitord.ami.actions import AmiError
from monitord.ami.attachment import Attachment
from monitord.api.keys import PEOPLE
from monitord.api.listen import TlsError
from monitord.app import Running, StartError, admin_link, recording, running
from monitord.check.report import Report
from monitord.check.run import check as check_all
from monitord.config import ConfigError, Loaded, load
from monitord.notify import notify
from monitord.people.links import HOURS
from monitord.people.passwords import PASSWORD_MOST, hash_password
from monitord.replaying import LOGIN, LOGINS, replaying
from monitord.tail.connection import RefusedError, is_open_text, origin_of
from monitord.tail.password import password_of
from monitord.tail.run import ReaderGoneError
from monitord.tail.run import tail as follow
from monitord.tail.safe import safe

_CONFIG = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="MONITORD_CONFIG",
    default=Path("monitord.toml"),
    show_default=True,
    help="Settings file (or MONITORD_CONFIG).",
)


@click.group()
@click.version_option(__version__, prog_name="monitord")
def main() -> None:
    """Shows who listens to, coaches or barges into which call on Asterisk."""


@main.command()
@_CONFIG
@click.option("--host", help="Address to serve the page on; goes before the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; 0 takes a free one.")
def run(config: Path, host: str | None, port: int | None) -> None:
    """Attach to the configured PBXs and serve the page."""
    loaded = _load(config)
    loaded = _override(loaded, host, port)
    set_up_log(loaded.settings.log.level, loaded.settings.log.format)
    _go(_serve(loaded))


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar="MONITORD_PORT",
    show_default=True,
    help="Port of the page (or MONITORD_PORT).",
)
@click.option("--seed", type=click.IntRange(0), default=1, help="The same seed, the same day.")
@click.option("--speed", type=click.FloatRange(0.1, 100), default=1.0, help="Times real time.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    envvar="MONITORD_DEMO_FOLDER",
    default=Path("var/demo"),
    show_default=True,
    help="For the demo's settings and ledger (or MONITORD_DEMO_FOLDER).",
)
@click.option("--agents", type=click.IntRange(1, 2000), default=20, show_default=True)
@click.option("--supervisors", type=click.IntRange(0, 900), default=4, show_default=True)
@click.option(
    "--supervisions",
    type=click.IntRange(0, 900),
    default=0,
    help="At once; without it half of the supervisors or more.",
)
@click.option(
    "--calls-per-hour",
    type=click.IntRange(0, 100_000),
    default=0,
    help="Without it as many as keep the agents busy.",
)
@click.option(
    "--outages-per-hour",
    type=click.FloatRange(0, 60),
    default=1.0,
    show_default=True,
    help="How often the connection to the PBX is lost for some seconds.",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for what really happened in the simulated centre, to hold the ledger against.",
)
def demo(port: int, folder: Path, **options: Any) -> None:
    """Start a simulated call centre and the daemon attached to it."""
    set_up_log("warning", "text")
    _go(_demo(port, folder, options))


async def _demo(port: int, folder: Path, options: dict[str, Any]) -> None:
    agents, supervisors = options["agents"], options["supervisors"]
    click.echo(
        f"demo: starting the simulated call centre, {agents} agents and {supervisors} supervisors",
        err=True,
    )
    async with simulation.simulator(folder, **options) as centre:
        path, passwords = simulation.settings(folder, centre, port)
        click.echo(f"demo: it speaks AMI on 127.0.0.1:{centre.port}; starting monitord", err=True)
        async with running(_load(path)) as daemon:
            await simulation.give_logins(daemon.web[PEOPLE], passwords)
            await daemon.attachments["demo"].link.live.wait()
            click.echo(f"\nThe page:  {daemon.url}\nSign in as")
            for login, password in passwords.items():
                role, what = simulation.LOGINS[login]
                click.echo(f"  {login:<11} {password}   {role}: {what}")
            if options["outages_per_hour"]:
                click.echo("Now and then the PBX is out of reach for some seconds; that is meant.")
            click.echo("Ctrl-C ends it. The ledger stays in " + str(folder / "data"))
            sys.stdout.flush()
            await until_stopped(daemon, _stop_asked())


@main.command()
@_CONFIG
@click.option("--pbx", help="Id of the PBX; may be left out where there is only one.")
@click.option("--seconds", type=click.IntRange(1, 86_400), help="End by itself after that long.")
@click.argument("output", type=click.Path(path_type=Path))
def record(config: Path, pbx: str | None, seconds: int | None, output: Path) -> None:
    """Write a trace of what a PBX sends to OUTPUT, without secrets and without the numbers of
    record.scrub_numbers. Ends with Ctrl-C; each SIGUSR1 puts a mark into it, all that the PBX
    answers when asked for its state then."""
    loaded = _load(config)
    set_up_log(loaded.settings.log.level, loaded.settings.log.format)
    if pbx is None and len(loaded.links) > 1:
        raise click.UsageError("there are several PBXs in the settings; name one with --pbx")
    try:
        # Customers' numbers may be in it.
        file = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from None
    with file:
        _go(_record(loaded, pbx or loaded.links[0].pbx, file, seconds))


async def _record(loaded: Loaded, pbx: str, file: IO[bytes], seconds: int | None) -> None:
    async with recording(loaded, pbx, file) as attachment:
        stop = _stop_asked()
        live = asyncio.create_task(attachment.link.live.wait())
        await asyncio.wait([stop, live], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if live.done():
            click.echo("recording; Ctrl-C ends it, SIGUSR1 sets a mark", err=True)
            marking = asyncio.create_task(_mark_when_asked(attachment))
            await asyncio.wait([stop], timeout=seconds)
            marking.cancel()
        live.cancel()


async def _mark_when_asked(attachment: Attachment) -> None:
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, asked.set)
    while True:
        await asked.wait()
        asked.clear()
        try:
            await attachment.mark()
        except AmiError as error:
            click.echo(f"no mark was set: {error}", err=True)


@main.command()
@click.option(
    "--speed",
    type=click.FloatRange(0, 1000),
    default=1.0,
    show_default=True,
    help="Times real time; 0 waits for nothing.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar="MONITORD_PORT",
    show_default=True,
    help="Port of the page (or MONITORD_PORT); 0 takes a free one.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Keep the replay's ledger there; without it the ledger is thrown away at the end.",
)
@click.option("--exit", "exit_", is_flag=True, help="End when the trace does, not with Ctrl-C.")
@click.argument("trace", type=click.Path(path_type=Path))
def replay(trace: Path, speed: float, port: int, folder: Path | None, exit_: bool) -> None:
    """Show again what a TRACE of `monitord record` holds, on the page, as if it happened now."""
    set_up_log("warning", "text")
    _go(_replay(trace, speed, port, folder, exit_=exit_))


async def _replay(path: Path, speed: float, port: int, folder: Path | None, *, exit_: bool) -> None:
    stop = _stop_asked()
    async with replaying(path, speed=speed, port=port, folder=folder) as replay:
        if replay.playback.summary.cut:
            click.echo(f"{path}: the last line was cut while it was written; it is left out")
        click.echo(replay.playback.what)
        click.echo(f"\nThe page:  {replay.daemon.url}\nSign in as")
        for role, may in LOGINS.items():
            login = LOGIN[role]
            click.echo(f"  {login:<11} {replay.passwords[login]}   ({may})")
        click.echo("It ends by itself." if exit_ else "Ctrl-C ends it.")
        if folder is not None:
            click.echo(f"The ledger stays in {folder}")
        sys.stdout.flush()
        over = asyncio.create_task(replay.over())
        ends = [stop, over, *replay.daemon.tasks]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            click.echo("the replay is over")
            sys.stdout.flush()
        if not (over.done() and exit_):
            await until_stopped(replay.daemon, stop)
        over.cancel()


@main.command()
@_CONFIG
@click.option(
    "--wait",
    type=click.IntRange(0, 86_400),
    default=0,
    metavar="SECONDS",
    help="Watch what the PBXs send for that long, or until Ctrl-C.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def check(config: Path, wait: int, as_json: bool) -> None:
    """Look at settings, database and each PBX, and say what will not work. Changes nothing. Ends
    with 1 where something is wrong or refused; what was not yet seen is not wrong."""
    set_up_log("error", "text")
    report = asyncio.run(_check(config, wait))
    click.echo(report.json() if as_json else report.text())
    sys.exit(report.exit_code)


async def _check(config: Path, wait: int) -> Report:
    enough = asyncio.Event()
    if wait:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, enough.set)
    return await check_all(config, wait, enough=enough)


@main.command()
@click.option(
    "--url",
    default="http://127.0.0.1:8080",
    envvar="MONITORD_URL",
    show_default=True,
    help="Address of the daemon's page (or MONITORD_URL).",
)
@click.option("--login", required=True, envvar="MONITORD_LOGIN", help="Or MONITORD_LOGIN.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="File whose first line is the password. Without it MONITORD_PASSWORD, or it is asked for.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line (docs/tail.md).")
def tail(url: str, login: str, password_file: Path | None, as_json: bool) -> None:
    """Follow in the terminal who listens to, coaches or barges into which call. Ends with Ctrl-C;
    comes back by itself where the daemon goes away."""
    try:
        origin = origin_of(url)
        password = password_of(login, password_file)
    except RefusedError as error:
        raise click.ClickException(str(error)) from None
    if is_open_text(origin):
        click.echo("the password travels unencrypted to that address; https is safer", err=True)
    # A terminal of another character set must not end it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")
    try:
        asyncio.run(_tail(origin, login, password, as_json=as_json))
    except RefusedError as error:
        raise click.ClickException(safe(str(error), 500)) from None
    except ReaderGoneError:
        # What is still buffered goes nowhere, without a word at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _tail(origin: str, login: str, password: str, *, as_json: bool) -> None:
    stop = _stop_asked()
    following = asyncio.create_task(
        follow(origin, login, password, as_json=as_json, file=sys.stdout)
    )
    await asyncio.wait([stop, following], return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
    following.cancel()
    await asyncio.wait([following])


@main.command("admin-link")
@_CONFIG
def admin_link_(config: Path) -> None:
    """Print a one-time link that makes the first administrator, while there is none. An earlier
    one means nothing then. The daemon may run or not."""
    loaded = _load(config)
    _go(_admin_link(loaded))


async def _admin_link(loaded: Loaded) -> None:
    path = await admin_link(loaded)
    if path is None:
        raise StartError(
            "there is an administrator already, who can make links for others under "
            "Settings > Sign-in"
        )
    server = loaded.settings.server
    scheme = "https" if server.tls_certificate else "http"
    click.echo(_first_link(loaded, f"{scheme}://{server.host}:{server.port}", path))


@main.command()
@click.option("--length", type=click.IntRange(12, 1024), default=12, hidden=True)
def password(length: int) -> None:
    """Ask for a password and print its hash for the settings file."""
    if sys.stdin.isatty():
        text = getpass.getpass("Password: ")
        if text != getpass.getpass("Again: "):
            raise click.ClickException("the two are not the same")
    else:
        try:
            text = sys.stdin.readline(PASSWORD_MOST + 3).rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.ClickException("the password is not text in UTF-8") from None
    if not length <= len(text) <= PASSWORD_MOST:
        raise click.ClickException(
            f"the password must be {length} to {PASSWORD_MOST} characters long"
        )
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise click.ClickException("the password is not text in UTF-8")
    click.echo(hash_password(text))


def _load(path: Path) -> Loaded:
    try:
        return load(path)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def _override(loaded: Loaded, host: str | None, port: int | None) -> Loaded:
    server = loaded.settings.server
    server = msgspec.structs.replace(
        server,
        host=server.host if host is None else host,
        port=server.port if port is None else port,
    )
    settings = msgspec.structs.replace(loaded.settings, server=server)
    return msgspec.structs.replace(loaded, settings=settings)


def set_up_log(level: str, form: str) -> None:
    """Logs go to stderr. No processor renders whole messages or settings, so no secret and no
    telephone number gets in."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def _serve(loaded: Loaded) -> None:
    stop = _stop_asked()  # first, so that a SIGTERM during the start ends it in order as well
    async with running(loaded) as daemon:
        click.echo(f"monitord serves the page at {daemon.url}", err=True)
        if (path := await daemon.first_link()) is not None:
            click.echo(_first_link(loaded, daemon.url, path), err=True)
        if daemon.tls is not None:
            # Without TLS there is nothing to read anew, and a lost terminal ends it as usual.
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, daemon)
        notify("READY=1")  # so that “systemctl start” says whether it did
        await until_stopped(daemon, stop)


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


async def until_stopped(daemon: Running, stop: asyncio.Task[Any]) -> None:
    """Until SIGTERM or SIGINT, or until a part of the daemon fails, which must not go unseen."""
    done, _ = await asyncio.wait([stop, *daemon.tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task is not stop and (error := task.exception()) is not None:
            raise error


def _stop_asked() -> asyncio.Task[Any]:
    """Done when the process was asked to end."""
    asked = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    return asyncio.create_task(asked.wait())


def _go(main_: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(main_)
    except StartError as error:
        raise click.ClickException(str(error)) from None
