"""`monitord demo`: the whole of it as a person starts it, at a higher speed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitord.cli import main
from tests.kit.client import Client, Stream
from tests.kit.ledger import read_ledger
from tests.test_cli import start

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


async def stopped(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    process.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    return process.returncode, err.decode()


def links(stream: Stream) -> list[str]:
    return [pbx["link"] for pbx in stream.of("pbx")]


async def until(stream: Stream, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await stream.next()


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
                await until(stream, lambda: stream.of("supervision"))
                assert len(stream.of("agent")) == 20
                while not seen.keys() >= TYPES:
                    await stream.next()
                    for shown in stream.of("supervision"):
                        seen[shown["type"]] = shown["supervisor"]["name"]
        names = {"Marta Silva", "Nigel Frost", "Olga Petrova", "Priya Nair"}
        assert set(seen.values()) <= names
    finally:
        code, err = await stopped(process)
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
            async with viewer.stream() as stream:
                await until(stream, lambda: links(stream) == ["live"])
                await until(stream, lambda: links(stream) == ["lost"])
                await until(stream, lambda: links(stream) == ["live"])
                assert len(stream.of("agent")) == 30
    finally:
        code, err = await stopped(process)
    assert code == 0 and "Traceback" not in err, err
    gaps = read_ledger(tmp_path / "data" / "monitord.sqlite3")["gaps"]
    assert gaps[0]["ended"] >= gaps[0]["started"]


async def test_the_logins_that_it_prints_hold_at_every_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on the ledger of an earlier start, whose roster goes before the settings' people."""
    options = ("--port", "0", "--folder", str(tmp_path), "--agents", "2", "--supervisors", "1")
    may: dict[str, set[str]] = {}
    for password in (PASSWORD, f"{PASSWORD}, the second"):
        monkeypatch.setenv("MONITORD_DEMO_PASSWORD", password)
        process = await start(tmp_path, "demo", *options)
        try:
            url, lines = await page_of(process)
            printed = [line for line in lines if password in line]
            logins = {line.split()[0]: line for line in printed}
            assert list(logins) == ["viewer", "supervisor", "admin", "agent"]
            roles = ("QA manager", "supervisor", "administrator", "agent")
            for login, role in zip(logins, roles, strict=True):
                assert f"{role}:" in logins[login]
                async with Client(url) as one:
                    assert await one.sign_in(login, password) == 200
                    may[login] = set((await one.get("/api/v1/session"))["permissions"])
        finally:
            code, err = await stopped(process)
        assert code == 0 and "Traceback" not in err, err
        assert may["admin"] >= {"roster.edit", "rights.edit", "session.end"}
        assert "supervision.disconnect" in may["supervisor"] - may["viewer"]
        assert "notice.see" in may["agent"] and "supervision.see" not in may["agent"]
        assert not may["supervisor"] & {"roster.edit", "rights.edit"}


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--agents", "2001", "1<=x<=2000"),
        ("--supervisors", "-1", "0<=x<=900"),
        ("--calls-per-hour", "100001", "0<=x<=100000"),
        ("--outages-per-hour", "61", "0<=x<=60"),
    ],
)
def test_options_have_bounds(option: str, value: str, rule: str) -> None:
    result = CliRunner().invoke(main, ["demo", option, value])
    assert result.exit_code == 2
    assert option in result.output and rule in result.output
