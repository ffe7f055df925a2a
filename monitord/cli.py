"""The command line."""

from __future__ import annotations

import asyncio
import getpass
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
import msgspec

from monitord import __version__, auditing, recording, replaying, serving
from monitord import demo as simulation
from monitord.assembly.errors import StartError
from monitord.check.report import Report
from monitord.check.run import check as check_all
from monitord.config import ConfigError, Loaded, load
from monitord.foreground import set_up_log
from monitord.people.passwords import PASSWORD_MOST, hash_password
from monitord.tail.command import follow
from monitord.tail.connection import RefusedError

_CONFIG = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="MONITORD_CONFIG",
    default=Path("monitord.toml"),
    show_default=True,
    help="Settings file (or MONITORD_CONFIG).",
)

_PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar="MONITORD_PORT",
    show_default=True,
    help="Port of the page (or MONITORD_PORT); 0 takes a free one.",
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
    _go(serving.serve(loaded))


@main.command()
@_PORT
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
    _go(simulation.demo(port, folder, options))


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
    _go(recording.record(loaded, pbx or loaded.links[0].pbx, output, seconds))


@main.command()
@click.option(
    "--speed",
    type=click.FloatRange(0, 1000),
    default=1.0,
    show_default=True,
    help="Times real time; 0 waits for nothing.",
)
@_PORT
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
    _go(replaying.replay(trace, speed, port, folder, exit_=exit_))


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
        follow(url, login, password_file, as_json=as_json)
    except RefusedError as error:
        raise click.ClickException(str(error)) from None


@main.command("admin-link")
@_CONFIG
def admin_link_(config: Path) -> None:
    """Print a one-time link that makes the first administrator, while there is none. An earlier
    one means nothing then. The daemon may run or not."""
    _go(serving.print_admin_link(_load(config)))


# --- the audit log ---------------------------------------------------------------------------

_DATABASE = click.option(
    "--database",
    type=click.Path(path_type=Path),
    help="A copy of the SQLite database, in place of the one of the settings.",
)
_KEYS = click.option(
    "--keys",
    type=click.Path(path_type=Path),
    help="The audit log's keys, in place of those of the settings.",
)
_PUBLIC_KEY = click.option(
    "--public-key", help="That must have signed it: the one that was noted down earlier."
)


@main.group()
def audit() -> None:
    """Prove the audit log, and look after its keys (docs/audit.md)."""


@audit.command("verify")
@_CONFIG
@_DATABASE
@_KEYS
@click.option(
    "--heads",
    type=click.Path(path_type=Path),
    multiple=True,
    help="File of signed heads that was kept elsewhere; several times.",
)
@_PUBLIC_KEY
def audit_verify(
    config: Path,
    database: Path | None,
    keys: Path | None,
    heads: tuple[Path, ...],
    public_key: str | None,
) -> None:
    """Prove that no row was changed, moved, added or cut off. Ends with 1 and the first broken row
    where one was, with 2 where it could not be looked at. The daemon may run or not."""
    auditing.verify_log(auditing.Place(config, database, keys), heads, public_key)


@audit.command("head")
@_CONFIG
@_DATABASE
@_KEYS
def audit_head(config: Path, database: Path | None, keys: Path | None) -> None:
    """Print the last row's number and hash, signed, as a line to keep elsewhere."""
    auditing.show_head(auditing.Place(config, database, keys))


@audit.command("key")
@_CONFIG
@_KEYS
def audit_key(config: Path, keys: Path | None) -> None:
    """Print the public key, which verifies heads and exports."""
    auditing.show_key(auditing.Place(config, keys=keys))


@audit.command("verify-export")
@_PUBLIC_KEY
@click.argument("file", type=click.Path(path_type=Path))
def audit_verify_export(file: Path, public_key: str | None) -> None:
    """Prove a signed export, without database and settings. Ends with 1 where it is broken."""
    auditing.verify_export(file, public_key)


@audit.command("new-keys")
@_CONFIG
@click.option("--yes", is_flag=True, help="Do not ask.")
def audit_new_keys(config: Path, yes: bool) -> None:
    """Begin with new keys where those of the log are lost. Says what is lost with them, and asks.
    The daemon must not run."""
    try:
        auditing.new_keys(config, lambda question: yes or click.confirm(question, err=True))
    except StartError as error:
        raise click.ClickException(str(error)) from None


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


def _go(main_: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(main_)
    except (ConfigError, StartError) as error:
        raise click.ClickException(str(error)) from None
