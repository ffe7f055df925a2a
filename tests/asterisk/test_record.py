"""`monitord record` as a process beside real Asterisk: its trace leads to what was done."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from monitord.ami import trace
from monitord.ami.link import Step
from monitord.ami.replay import replay
from monitord.domain import events as ev
from tests.asterisk.watch import site_of
from tests.lab.scene import COACH, Scene


@pytest.mark.case("monitord record beside a running PBX, with a mark; numbers and secrets scrubbed")
async def test_record(scene: Scene, tmp_path: Path) -> None:
    site = site_of(scene, extra='[record]\nscrub_numbers = ["5551234"]')
    config, output = site.write(tmp_path), tmp_path / "trace.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "record", "--config", str(config), str(output)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"recording" not in (line := await process.stderr.readline()):
            assert line, "it ended"
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", COACH, "1001")
    process.send_signal(signal.SIGUSR1)
    async with asyncio.timeout(30):
        while b"MarkEnded" not in output.read_bytes():
            await asyncio.sleep(0.02)
    await scene.hangup(spyer)
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    async with asyncio.timeout(30):
        while output.read_bytes().count(b'"name":"Hangup"') < 3:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    text = output.read_text()
    assert "5551234" not in text and scene.server.secrets["monitord"] not in text
    header, items = trace.read(output)
    assert sum(isinstance(i, Step) and isinstance(i.event, ev.MarkBegun) for i in items) == 1
    rows = replay(header, items).ledger()
    (supervision,) = rows["supervisions"]
    assert (supervision["type"], supervision["agent_id"]) == ("Coach", "ann")
    assert supervision["campaign"] == "spring" and supervision["end_reason"] == "hung up"
    (ended,) = rows["calls"]
    assert ended["number"] == "0000001" and ended["end_reason"] == "call ended"
