"""A whole check: this machine first, then all PBXs at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from monitord.api import page
from monitord.check.database import database_section
from monitord.check.evidence import Evidence
from monitord.check.here import settings_section
from monitord.check.judge import sections
from monitord.check.people import people_line
from monitord.check.probe import DEFAULT_PACE, Found, Pace, Probe
from monitord.check.report import Line, Report, Section, Verdict
from monitord.config import ConfigError, Loaded, load


async def check(
    path: Path,
    watch_s: int = 0,
    page_folder: Path = page.FOLDER,
    enough: asyncio.Event | None = None,
    pace: Pace = DEFAULT_PACE,
) -> Report:
    """Everything, in ``watch_s`` and some seconds more, or sooner once ``enough`` is set."""
    try:
        loaded = load(path)
    except ConfigError as error:
        hint = "Without it nothing starts, and nothing else could be checked."
        return Report([Section("Settings", [Line("file", Verdict.WRONG, str(error), hint)])], 0)
    probes = [_probe(loaded, n, pace) for n in range(len(loaded.links))]
    ending = asyncio.create_task(_end(probes, enough or asyncio.Event()))
    try:
        found: list[Found] = await asyncio.gather(*(p.look(watch_s) for p in probes))
    finally:
        ending.cancel()
    here = [settings_section(loaded, await people_line(loaded), page_folder)]
    here.append(await database_section(loaded))
    there = []
    for link, pbx, one in zip(loaded.links, loaded.settings.pbx, found, strict=True):
        where = f"[{link.host}]:{link.port}" if ":" in link.host else f"{link.host}:{link.port}"
        there += sections(pbx.name or pbx.id, where, link.username, one, pbx.keypad)
    return Report(here + there, watch_s)


async def _end(probes: list[Probe], enough: asyncio.Event) -> None:
    await enough.wait()
    for probe in probes:
        probe.enough()


def _probe(loaded: Loaded, number: int, pace: Pace) -> Probe:
    supervisors = (p.endpoints for p in loaded.site.people if not p.agent)
    evidence = Evidence(
        frozenset(loaded.site.variables), frozenset(e for some in supervisors for e in some)
    )
    return Probe(loaded.links[number], evidence, pace)
