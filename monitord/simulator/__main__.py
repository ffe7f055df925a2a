"""Command line of the simulator."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
import structlog

from monitord.simulator.settings import BOUNDS, VERSIONS, Settings, User
from monitord.simulator.simulator import Simulator

SECRET_VARIABLE = "MONITORD_SIM_SECRET"  # noqa: S105 - a name, not a secret


class Classes(click.ParamType[frozenset[str]]):
    """AMI classes with commas between, as in manager.conf; empty for none."""

    name = "classes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[str]:
        if isinstance(value, frozenset):
            return value
        return frozenset(word.strip() for word in str(value).split(",") if word.strip())


def _range(name: str) -> click.IntRange:
    low, high = BOUNDS[name]
    return click.IntRange(int(low), int(high))


def _read_secret(path: Path | None) -> str:
    if path is None:
        secret = os.environ.get(SECRET_VARIABLE, "")
        if not secret:
            raise click.UsageError(f"give --secret-file, or the secret in {SECRET_VARIABLE}")
        return secret
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read the secret from {path}: {error}") from error
    if not secret or not secret.isprintable():
        raise click.UsageError(f"{path} must hold the secret in one line")
    return secret


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=5038, type=_range("port"), help="0 takes a free one.")
@click.option("--user", default="monitord", help="The AMI user that may log in.")
@click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File with the user's secret; else {SECRET_VARIABLE} is read.",
)
@click.option("--read", type=Classes(), default="system,call,agent,dialplan,user")
@click.option("--write", type=Classes(), default="call,reporting")
@click.option("--seed", default=1, type=_range("seed"), help="The same seed, the same day.")
@click.option(
    "--speed", default=1.0, type=click.FloatRange(*BOUNDS["speed"]), help="Times real time."
)
@click.option("--agents", default=20, type=_range("agents"))
@click.option("--supervisors", default=4, type=_range("supervisors"))
@click.option(
    "--supervisions",
    default=0,
    type=_range("supervisions"),
    help="At once; 0: half of the supervisors or more.",
)
@click.option(
    "--calls-per-hour",
    default=0,
    type=_range("calls_per_hour"),
    help="Of customers and agents; 0: as many as keep the agents busy.",
)
@click.option(
    "--outages-per-hour",
    default=0.0,
    type=click.FloatRange(*BOUNDS["outages_per_hour"]),
    help="How often clients lose the connection; every fourth time the PBX crashes.",
)
@click.option(
    "--payment-share",
    default=0.0,
    type=click.FloatRange(*BOUNDS["payment_share"]),
    help="Of the long calls: those in which the customer pays for a while.",
)
@click.option(
    "--version",
    default="22",
    type=click.Choice([str(v) for v in VERSIONS]),
    help="Asterisk to imitate.",
)
@click.option("--system-name", default="", help="systemname of asterisk.conf.")
@click.option("--truth", help="File for what really happened, in JSON lines.")
@click.option(
    "--roster",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for everybody's endpoint and name, in JSON; written before it listens.",
)
def main(
    secret_file: Path | None, roster: Path | None, user: str, version: str, **options: Any
) -> None:
    """A small call centre that speaks AMI, for demonstrations and tests."""
    # Standard output carries one line, the address; all else goes to the other.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    rights = {name: options.pop(name) for name in ("read", "write")}
    try:
        settings = Settings(
            user=User(user, _read_secret(secret_file), **rights), version=int(version), **options
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        simulator = Simulator(settings)
        if roster is not None:
            roster.write_text(json.dumps(simulator.centre.floor.roster), encoding="utf-8")
        asyncio.run(_run(simulator))
    except OSError as error:
        raise click.ClickException(str(error)) from error


async def _run(simulator: Simulator) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator as sim:
        click.echo(f"listening on {sim.settings.host}:{sim.port}")
        running = asyncio.create_task(sim.wait())
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if running in done:
            await running


if __name__ == "__main__":
    main()
