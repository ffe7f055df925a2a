"""A daemon with a past: a ledger of a few thousand rows, written by the product's own recorder, and
no PBX that could be reached."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from monitord.domain.words import AgentStatus, Direction, EndReason, Provenance, SpyType
from monitord.store.engine import open_store, sqlite_url
from monitord.store.recorder import Recorder
from tests.browser.conftest import process
from tests.kit.daemon import Site
from tests.kit.records import alias, call, gap, segment, status, supervision

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

SUES = 260
"""Supervisions of Sue Supervisor, the rest are Tom Trainer's."""

ALL = 3_000
AGENTS = [("ann", "Ann Agent", "PJSIP/1001"), ("sid", "Sid Silent", "PJSIP/1009")]
TYPES = [SpyType.MONITOR, SpyType.COACH, SpyType.BARGE, SpyType.BARGE_KICK]
CAMPAIGNS = ["spring", "summer", "Winter renewals", None]


def past(now: int) -> list[Any]:
    """Rows up to an hour before ``now``, ms UTC, one every ten minutes; the newest is number 0."""
    rows: list[Any] = []
    for n in range(ALL):
        started = now - HOUR - n * 10 * MINUTE
        mine = n < SUES * 2 and n % 2 == 0
        agent_id, agent_name, endpoint = AGENTS[n % 3 == 0]
        ended = started + (2 + n % 7) * MINUTE
        label = CAMPAIGNS[n % 4]
        phone = call(
            n,
            call_id=f"{started // 1000}.{n}",
            agent_id=agent_id,
            agent_name=agent_name,
            agent_endpoint=endpoint,
            direction=(Direction.INBOUND, Direction.OUTBOUND)[n % 2],
            number=f"+44 20 7946 {n:04}",
            campaign=label,
            list=f"L{n % 5}",
            result=("SALE", "CALLBACK", None)[n % 3],
            started=started - MINUTE,
            answered=started - MINUTE + 5_000,
            ended=ended,
            end_reason=EndReason.HUNG_UP,
            talk_ms=ended - started + 55_000,
            length_ms=ended - started + MINUTE,
        )
        whole = supervision(
            n,
            supervisor_id="sue" if mine else "tom",
            supervisor_name="Sue Supervisor" if mine else "Tom Trainer",
            supervisor_endpoint="PJSIP/2001" if mine else "PJSIP/2002",
            agent_id=agent_id,
            agent_name=agent_name,
            agent_endpoint=endpoint,
            type=TYPES[n % 4],
            campaign=label,
            call=phone.id,
            call_id=phone.call_id,
            started=started,
            ended=ended,
            end_reason=EndReason.HUNG_UP,
            length_ms=ended - started,
        )
        about = {
            "call": phone.id,
            "call_id": phone.call_id,
            "number": phone.number,
            "campaign": label,
            "list": phone.list,
            "result": phone.result,
        }
        half = started + (ended - started) // 2
        rows += [
            phone,
            alias(phone.call_id, phone),
            whole,
            segment(
                whole,
                1,
                type=SpyType.MONITOR,
                started=started,
                ended=half,
                length_ms=half - started,
                **about,
            ),
            segment(whole, 2, started=half, ended=ended, length_ms=ended - half, **about),
            status(
                n,
                agent_id=agent_id,
                agent_name=agent_name,
                agent_endpoint=endpoint,
                status=(AgentStatus.IN_CALL, AgentStatus.PAUSED)[n % 2],
                reason="lunch" if n % 2 else "",
                started=started,
                ended=ended,
                length_ms=ended - started,
            ),
        ]
    rows += [
        gap(now - HOUR - 25 * MINUTE, ended=now - HOUR - 21 * MINUTE, why="connection lost"),
        supervision(
            ALL,
            supervisor_id="tom",
            supervisor_name="Tom Trainer",
            supervisor_endpoint="PJSIP/2002",
            type=SpyType.COACH,
            at_least=True,
            type_provenance=Provenance.UNVERIFIED,
            started=now - HOUR - 5 * MINUTE,
            started_exact=False,
            ended=now - HOUR,
            ended_exact=False,
            ended_after=now - HOUR - 3 * MINUTE,
            end_reason=EndReason.LOST,
            campaign=None,
        ),
    ]
    return rows


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def fill(database: Path, rows: list[Any]) -> None:
    """Make a ledger that holds these rows."""
    engine = await open_store(sqlite_url(database))
    recorder = Recorder(engine)
    recorder.take(rows)
    assert await recorder.write()
    await engine.dispose()


@asynccontextmanager
async def daemon_on(database: Path, folder: Path) -> AsyncIterator[str]:
    """A daemon on a copy of a ledger; gives its address."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    shutil.copy(database, data / "monitord.sqlite3")
    async with process(Site(ami_port=nobody(), secret="x").write(folder)) as url:
        yield url


def now() -> int:
    return time.time_ns() // 1_000_000
