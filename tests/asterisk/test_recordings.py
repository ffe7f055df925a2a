"""The moment of a flag in the recording, against the very sound that Asterisk wrote."""

from __future__ import annotations

import asyncio
import io
import struct
import time
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk.watch import watching
from tests.lab.scene import Scene

VARIABLES = 'CAMPAIGN = "campaign"\nMIXMONITOR_FILENAME = "recording"'
PIECE_S = 0.02
LOUD, QUIET = 1500.0, 100.0


def loudness(sound: bytes) -> list[float]:
    """Of each piece of a WAV, mean of what its samples are away from nothing."""
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        each = int(file.getframerate() * PIECE_S)
        raw = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(raw) // 2}h", raw)
    pieces = [samples[n : n + each] for n in range(0, len(samples) - each, each)]
    return [sum(map(abs, piece)) / each for piece in pieces]


def onset_after_silence(levels: list[float]) -> float:
    """Seconds at which the tone comes back after the longest silence."""
    best, at, run = 0, 0, 0
    for n, level in enumerate([*levels, 0.0]):
        if level < QUIET:
            run += 1
            continue
        if level > LOUD and run > best:
            best, at = run, n
        run = 0
    assert best * PIECE_S > 1, "there is a silence, and a tone after it"
    return at * PIECE_S


@pytest.mark.case("a flag's moment in the MixMonitor recording, to a second, by a known tone")
async def test_a_flag_is_where_the_sound_is(scene: Scene, tmp_path: Path) -> None:
    server = scene.server
    folder = server.folder / "spool" / "monitor"
    extra = (
        f'[recordings]\nfolder = "{folder}"\n'
        f'pbx_folder = "{server.installed.inside(server.folder)}/spool/monitor"\n'
    )
    async with watching(scene, tmp_path, variables=VARIABLES, extra=extra) as watch:
        call = await scene.customer_calls_agent("5551234", "1001")
        shown = await watch.stream.until(
            lambda s: next((c for c in s.of("call") if c["state"] == "talking"), None), "a call"
        )
        await scene.record(call.agent_channel)
        # The phones send their tone throughout; while the recording is muted it holds silence.
        await asyncio.sleep(1)
        await scene.mute_recording(call.agent_channel, on=True)
        await asyncio.sleep(3)
        since = scene.ami.mark()
        await scene.mute_recording(call.agent_channel, on=False)
        pressed = time.time_ns() // 1_000_000  # as the page pins it when its key is pressed
        heard = await scene.ami.wait_event("MixMonitorMute", since, Channel=call.agent_channel)
        body = {
            "id": "f" * 20,
            "call": shown["id"],
            "polarity": "good",
            "comment": "The tone is back.",
            "moment": pressed,
        }
        async with watch.ina.http.post("/api/v1/flags", json=body) as response:
            assert response.status == 201, await response.text()
        await asyncio.sleep(1)
        await scene.hangup(call.customer)
        await watch.nothing_left()

        detail = await watch.ina.get(f"/api/v1/calls/{shown['id']}")
        (recording,) = detail["recordings"]
        (flag,) = detail["flags"]
        assert recording["hindrance"] is None and recording["ended"] is not None
        path = f"/api/v1/calls/{shown['id']}/recordings/1"
        async with watch.ina.http.post(f"{path}/plays", json={}) as response:
            play: Any = await response.json()
            assert response.status == 200, play
        sound = b""
        for wanted in ("bytes=0-43", "bytes=44-"):
            async with watch.ina.http.get(play["address"], headers={"Range": wanted}) as response:
                assert response.status == 206
                sound += await response.read()
        onset = onset_after_silence(loudness(sound))
        offset = (flag["moment"] - recording["started"]) / 1000
        by_asterisk = float(heard["Timestamp"]) - recording["started"] / 1000
        assert abs(onset - by_asterisk) < 1, (onset, by_asterisk)
        assert abs(onset - offset) < 1, (onset, offset)
