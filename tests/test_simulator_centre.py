"""The simulator's day: seeded runs, the truth log, its settings and its command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitord.simulator import Settings, Simulator, User
from monitord.simulator.messages import EVENTS, Event, header_names

SECRET = "not-a-real-one"
DEADLINE = 10.0

# Stopped clock, fixed wall: only `advance` moves time.
STILL = Settings(User(secret=SECRET), port=0, speed=0, wall=1_795_320_000.0)


async def watched_run(seed: int, seconds: float, version: int = 22, **more: Any) -> list[Event]:
    seen: list[Event] = []
    async with Simulator(replace(STILL, seed=seed, version=version, **more)) as sim:
        sim.centre.pbx.sinks.append(seen.append)
        await sim.advance(seconds)
    return seen


async def test_the_same_seed_gives_the_same_day() -> None:
    assert await watched_run(7, 600) == await watched_run(7, 600)
    assert await watched_run(7, 100) != await watched_run(8, 100)
    faulty = {"outages_per_hour": 30}
    again = [await watched_run(7, 1800, **faulty) for _ in "12"]
    assert [e.encode() for e in again[0]] == [e.encode() for e in again[1]]


async def test_payments_shift_nothing_else() -> None:
    plain = await watched_run(7, 3600)
    paying = await watched_run(7, 3600, payment_share=0.5)
    said = [dict(e.headers) for e in paying if e.name == "UserEvent"]
    assert {h["State"] for h in said} == {"on", "off"} and len(said) > 10
    assert [e for e in paying if e.name != "UserEvent"] == plain


async def test_it_can_be_made_large() -> None:
    large = replace(
        STILL, agents=2000, supervisors=220, supervisions=200, calls_per_hour=20_000, speed=0
    )
    async with Simulator(large) as sim:
        await sim.advance(30)
        assert len(sim.centre.supervisions) == 200
        assert len({agent.device for agent in sim.centre.floor.agents}) == 2000
        assert sum(call.talking for call in sim.centre.calls) > 400


@pytest.mark.parametrize("seed", range(1, 6))
async def test_a_client_finds_a_living_picture(seed: int) -> None:
    async with Simulator(replace(STILL, seed=seed)) as sim:
        calls = [call for call in sim.centre.calls if call.talking]
        heard = [s for s in sim.centre.supervisions if s.spyee is not None]
        assert len(calls) >= 4
        assert len(heard) >= 2
        for _ in range(60):
            await sim.advance(30)
            assert 8 <= len(sim.centre.calls) <= 14
            assert 1 <= len(sim.centre.supervisions) <= 4


@pytest.mark.parametrize("seed", range(1, 6))
async def test_each_channel_lives_from_newchannel_to_hangup(seed: int) -> None:
    known: set[str] = set()
    gone: set[str] = set()
    heard: dict[str, bool] = {}
    for event in await watched_run(seed, 3600):
        headers = dict(event.headers)
        for key in ("Uniqueid", "DestUniqueid", "SpyerUniqueid", "SpyeeUniqueid"):
            uniqueid = headers.get(key)
            if uniqueid is None or (uniqueid not in known and event.name != "Newchannel"):
                continue  # of those that were there at the start only the end is seen
            assert uniqueid not in gone, event.name
            known.add(uniqueid)
        if event.name == "ChanSpyStart":
            assert not heard.get(headers["SpyerUniqueid"])
            heard[headers["SpyerUniqueid"]] = True
        elif event.name == "ChanSpyStop":
            heard[headers["SpyerUniqueid"]] = False
        elif event.name == "BridgeEnter":
            heard[headers["Uniqueid"]] = False  # a take-over by AMI Bridge has no ChanSpyStop
        elif event.name == "Hangup":
            assert not heard.get(headers["Uniqueid"])
            gone.add(headers["Uniqueid"])
    assert len(gone) > 100


@pytest.mark.parametrize("version", [16, 22])
async def test_every_event_is_in_the_table_and_is_seen_in_a_day(version: int) -> None:
    events = await watched_run(3, 2 * 3600, version, payment_share=0.3)
    for event in events:
        wanted = list(header_names(event.name, version))
        for key, _ in event.headers:
            key = re.sub(r"\(.*\)", "()", key)
            if key.endswith(("ChanVariable", "()")) and f"{key}?" not in wanted:
                continue  # one of several
            while wanted and wanted[0].endswith("?") and wanted[0] != f"{key}?":
                wanted.pop(0)
            assert wanted and wanted.pop(0).rstrip("?") == key, (event.name, key)
        assert all(key.endswith("?") for key in wanted), (event.name, wanted)
    seen = {event.name for event in events}
    # NewCallerid comes with outbound calls; the rest needs a client or a restart.
    assert set(EVENTS) - seen == {"SoftHangupRequest", "FullyBooted", "Shutdown"}


async def test_the_truth_log_tells_the_same_story(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    seen: list[Event] = []
    async with Simulator(replace(STILL, truth=str(path))) as sim:
        sim.centre.pbx.sinks.append(seen.append)
        attached_at = sim.clock.wall
        await sim.advance(1800)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    late = [line for line in lines if line["epoch"] > attached_at]
    met = [e for e in late if e["what"] in ("call_answered", "call_transferred")]
    taken = [e for e in late if e.get("type") == "Barge-Kick"]
    assert len(met) + len(taken) == sum(e.name == "BridgeCreate" for e in seen)
    ended = [line for line in lines if line["what"] == "call_ended" and line["talk"]]
    assert all(line["result"] for line in ended)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"speed": 0.01}, "speed must be between 0.1 and 1000"),
        ({"agents": 0}, "agents must be between 1 and 2000"),
        ({"port": 70000}, "port must be"),
        ({"version": 17}, "version must be one of"),
        ({"user": User(secret="")}, "needs a secret"),
        ({"user": User(secret="x", read=frozenset({"cal"}))}, "no such class: cal"),
    ],
)
def test_settings_have_bounds(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(STILL, **change)  # type: ignore[arg-type]


def program(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "monitord.simulator", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_program_says_where_it_listens(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    with program("--port", "0", "--secret-file", str(secret)) as running_program:
        assert running_program.stdout is not None
        assert re.fullmatch(r"listening on 127\.0\.0\.1:\d+\n", running_program.stdout.readline())
        running_program.terminate()
        assert running_program.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    "arguments", [["--speed", "0"], ["--agents", "x"], ["--version", "17"], ["--read", "cal"], []]
)
def test_the_program_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    secret = {"MONITORD_SIM_SECRET": SECRET if arguments else ""}
    with program("--port", "0", *arguments, **secret) as refused:
        assert refused.wait(DEADLINE) == 2
        assert refused.stderr is not None
        assert "Error:" in refused.stderr.read()
