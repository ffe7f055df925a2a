"""`monitord demo`: the whole of it as a person starts it, at a higher speed."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.kit.client import Client
from tests.kit.ledger import read_ledger
from tests.test_cli import ended, start

PASSWORD = "a password only for the demo"
DEADLINE = 60.0
TYPES = {"Monitor", "Coach", "Barge", "Barge-Kick"}


async def page_of(process: asyncio.subprocess.Process) -> tuple[str, list[str]]:
    """Address of the page, and all lines that were printed."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while not lines or not lines[-1].startswith("Ctrl-C"):
            line = await process.stdout.readline()
            assert line, (await process.communicate())[1].decode()
            lines.append(line.decode().strip())
    (url,) = (line.split()[-1] for line in lines if line.startswith("The page:"))
    return url, lines


async def test_every_type_comes_by_and_the_ledger_fills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITORD_DEMO_PASSWORD", PASSWORD)
    truth = tmp_path / "truth.jsonl"
    process = await start(
        tmp_path,
        *("demo", "--port", "0", "--folder", str(tmp_path), "--speed", "60"),
        *("--truth", str(truth), "--outages-per-hour", "0"),
    )
    try:
        url, lines = await page_of(process)
        assert any(line.startswith("supervisor") and PASSWORD in line for line in lines)
        seen: dict[str, str] = {}
        async with Client(url) as viewer:
            assert await viewer.sign_in("viewer", PASSWORD) == 200
            async with asyncio.timeout(DEADLINE), viewer.stream() as stream:
                await stream.until(lambda s: s.of("supervision"))
                assert len(stream.of("agent")) == 20
                while not seen.keys() >= TYPES:
                    await stream.next()
                    for shown in stream.of("supervision"):
                        seen[shown["type"]] = shown["supervisor"]["name"]
        names = {"Marta Silva", "Nigel Frost", "Olga Petrova", "Priya Nair"}
        assert set(seen.values()) <= names
    finally:
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process)
    assert code == 0 and "Traceback" not in err, err
    facts = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    rows = read_ledger(tmp_path / "data" / "monitord.sqlite3")["supervisions"]
    assert rows and {row["spyer"] for row in rows} <= {fact.get("spyer") for fact in facts}


async def test_an_outage_is_seen_and_gets_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITORD_DEMO_PASSWORD", PASSWORD)
    process = await start(
        tmp_path,
        *("demo", "--port", "0", "--folder", str(tmp_path), "--speed", "10"),
        *("--agents", "30", "--supervisors", "6", "--outages-per-hour", "60"),
    )
    try:
        url, lines = await page_of(process)
        assert any("out of reach" in line for line in lines)
        async with Client(url) as viewer:
            assert await viewer.sign_in("viewer", PASSWORD) == 200
            async with asyncio.timeout(DEADLINE), viewer.stream() as stream:
                for link in ("live", "lost", "live"):
                    await stream.until(
                        lambda s, link=link: [p["link"] for p in s.of("pbx")] == [link]
                    )
                await stream.until(lambda s: len(s.of("agent")) == 30, "all agents")
    finally:
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process)
    assert code == 0 and "Traceback" not in err, err
    gaps = read_ledger(tmp_path / "data" / "monitord.sqlite3")["gaps"]
    assert gaps[0]["ended"] >= gaps[0]["started"]


async def test_options_have_bounds(tmp_path: Path) -> None:
    for option, value, words in (
        ("--agents", "2001", "is not in the range 1<=x<=2000"),
        ("--supervisors", "-1", "is not in the range 0<=x<=900"),
        ("--outages-per-hour", "61", "is not in the range 0<=x<=60"),
    ):
        code, _, err = await ended(await start(tmp_path, "demo", option, value))
        assert code == 2 and words in err
