"""The player in Chromium: a recording with its marks, played from a flag's moment."""

from __future__ import annotations

import math
import re
import struct
import time
import wave
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from monitord.domain.ledger import RecordingRecord
from monitord.domain.words import EndReason, SpyType
from monitord.store.engine import open_store, sqlite_url
from monitord.store.recorder import Recorder
from tests.browser.conftest import ONE_STAGE, process, visitor
from tests.browser.looks import look
from tests.kit.client import Client
from tests.kit.daemon import Site
from tests.kit.ledger import read_audit
from tests.kit.records import call, segment, supervision

pytestmark = ONE_STAGE

SPOOL = "/var/spool/asterisk/monitor"
NOW = time.time_ns() // 1_000_000 - 600_000
CALL = call(
    1,
    started=NOW,
    answered=NOW + 2_000,
    ended=NOW + 70_000,
    end_reason=EndReason.HUNG_UP,
    length_ms=70_000,
    talk_ms=68_000,
)
BARE = call(2, started=NOW + 1, ended=NOW + 50_000, agent_id="sid", agent_name="Sid Silent")
HEARD = supervision(1, started=NOW + 20_000, ended=NOW + 60_000, call=CALL.id)
ROWS: list[Any] = [
    *(CALL, BARE, HEARD),
    segment(
        *(HEARD, 1),
        type=SpyType.COACH,
        started=NOW + 20_000,
        ended=NOW + 60_000,
        call=CALL.id,
        call_id=CALL.call_id,
    ),
    RecordingRecord(
        id="a" * 20,
        pbx="lab",
        call=CALL.id,
        channel="7.1",
        started=NOW + 4_000,
        ended=NOW + 70_000,
        file=f"{SPOOL}/one.wav",
    ),
]


def write_sound(path: Path, seconds: int) -> None:
    """A tone that swells and fades, at 8000 a second as Asterisk writes it."""
    rate = 8000
    with closing(wave.open(str(path), "wb")) as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        swell = (math.sin(n / rate) ** 2 for n in range(rate * seconds))
        tone = (math.sin(2 * math.pi * 300 * n / rate) for n in range(rate * seconds))
        samples = [int(9000 * a * b) for a, b in zip(swell, tone, strict=True)]
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "sound").mkdir()
    write_sound(folder / "sound" / "one.wav", 66)
    (folder / "data").mkdir()
    engine = await open_store(sqlite_url(folder / "data" / "monitord.sqlite3"))
    recorder = Recorder(engine)
    recorder.take(ROWS)
    await recorder.write()
    await engine.dispose()
    site = Site(
        ami_port=1,
        secret="s",
        extra='[recordings]\nfolder = "sound"\n',
        variables='MIXMONITOR_FILENAME = "recording"',
    )
    async with process(site.write(folder)) as address:
        async with Client(address) as ina:
            assert await ina.sign_in("ina") == 200
            flag = {
                "id": "f" * 20,
                "call": CALL.id,
                "polarity": "good",
                "comment": "Let her finish, then offered the refund unasked.",
                "moment": NOW + 34_000,
            }
            async with ina.http.post("/api/v1/flags", json=flag) as response:
                assert response.status == 201, await response.text()
        yield address
    plays = [
        row
        for row in read_audit(folder / "data" / "monitord.sqlite3")
        if row["action"] == "play recording"
    ]
    assert [(row["actor_id"], row["target"]) for row in plays] == [("ina", f"call {CALL.id}")]


async def test_a_flag_is_played_from_its_moment(url: str, shared_browser: Browser) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await page.goto(f"{url}/quality/quality-assurance/history?show=calls")
        row = page.locator("tr[aria-rowindex]").filter(has_text="Ann Agent")
        await row.get_by_role("button", name=re.compile("what happened$")).click()
        player = page.get_by_test_id("player")
        await expect(player.get_by_role("button", name="Open the recording")).to_be_visible()
        marks = player.get_by_role("list").get_by_role("button")
        await expect(marks).to_have_text([re.compile("0:16.*Coach"), re.compile("0:30.*refund")])
        await page.get_by_role("button", name="Play from the moment").click()
        slider = player.get_by_role("slider", name="Place in the recording")
        await expect(player.get_by_role("button", name="Pause")).to_be_visible()
        audio = player.locator("audio")
        # Five seconds before the flag, which is 30 s into the recording.
        assert 25 <= await audio.evaluate("one => one.currentTime") < 29
        await expect(slider).to_have_attribute("aria-valuetext", re.compile("of 1:06$"))
        await expect(player.get_by_test_id("wave").locator("path")).to_have_count(161)
        await player.get_by_role("button", name="Pause").click()
        # By the keyboard.
        await slider.focus()
        place = await audio.evaluate("one => one.currentTime")
        await page.keyboard.press("ArrowRight")
        assert abs(await audio.evaluate("one => one.currentTime") - place - 5) < 0.2
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("ArrowLeft")
        assert abs(await audio.evaluate("one => one.currentTime") - place + 5) < 0.2
        await page.keyboard.press("Space")
        await expect(player.get_by_role("button", name="Pause")).to_be_visible()
        await page.keyboard.press("Space")
        await expect(player.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await marks.first.focus()
        await page.keyboard.press("Enter")
        await expect(player.get_by_role("button", name="Pause")).to_be_visible()
        assert 16 <= await audio.evaluate("one => one.currentTime") < 20
        await player.get_by_role("button", name="Pause").click()
        await expect(player.get_by_role("alert")).to_have_count(0)
        await slider.scroll_into_view_if_needed()
        wrong += await look(page, "recording-player")
        await page.keyboard.press("Escape")

        row = page.locator("tr[aria-rowindex]").filter(has_text="Sid Silent")
        await row.get_by_role("button", name=re.compile("what happened$")).click()
        await expect(player).to_contain_text("Nothing recorded this call.")
        await expect(player.get_by_role("button")).to_have_count(0)
    assert wrong == []
