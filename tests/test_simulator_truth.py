"""Hours of the simulated day through the daemon's own parts: the ledger says what happened."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitord.simulator.session import Session
from tests.kit.day import day
from tests.kit.ledger import read_ledger
from tests.kit.truth import Comparison, instant, read_truth

HOUR = 3600.0


def hands(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Of each call that was transferred: who had it before the last one, and until when."""
    had: dict[str, list[tuple[str, int]]] = {}
    with (folder / "truth.jsonl").open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["what"] in ("call_answered", "call_transferred"):
                had.setdefault(event["call"], []).append((event["agent"], instant(event["epoch"])))
    return {
        call: [(one[0], after[1]) for one, after in pairwise(some)]
        for call, some in had.items()
        if len(some) > 1
    }


async def compared(folder: Path, seconds: float, **settings: Any) -> Comparison:
    async with day(folder, **settings) as here:
        await here.advance(seconds)
    ledger = read_ledger(folder / "data" / "monitord.sqlite3")
    truth = read_truth(folder / "truth.jsonl")
    comparison = Comparison(truth, ledger, [(0, here.attached_at), *here.gaps])
    comparison.run()
    return comparison


@pytest.mark.fault("a long run")
@pytest.mark.parametrize(("seed", "version"), [(1, 22), (2, 22), (3, 16)])
async def test_the_ledger_is_the_truth(seed: int, version: int, tmp_path: Path) -> None:
    found = await compared(tmp_path, HOUR, seed=seed, version=version)
    assert found.wrong == []
    assert found.exact > 350
    # Who handed a call on, and when.
    with closing(sqlite3.connect(tmp_path / "data" / "monitord.sqlite3")) as database:
        kept = database.execute(
            "SELECT c.call_id, p.agent_endpoint, p.ended, p.exact FROM call_part p"
            " JOIN call c ON c.id = p.call ORDER BY p.ended"
        ).fetchall()
    parts: dict[str, list[tuple[str, int]]] = {}
    for call_id, endpoint, ended, exact in kept:
        assert exact
        parts.setdefault(call_id, []).append((endpoint, ended))
    seen_from = found.gaps[0][1]
    truly = {
        call: some
        for call, every in hands(tmp_path).items()
        if (some := [one for one in every if one[1] > seen_from])
    }
    assert parts == truly and len(parts) > 3
    # All that the day is made of was in it.
    segments = [s for one in found.truth.supervisions for s in one.segments]
    assert {s.type for s in segments} == {"Monitor", "Coach", "Barge", "Barge-Kick"}
    assert {s.reason for s in found.truth.supervisions} >= {"hung up", "call ended", "moved"}
    assert {s.of for s in found.truth.supervisions} == {"agent", "customer", "anyone"}
    assert {c.reason for c in found.truth.calls} >= {"customer", "agent", "supervisor", "busy"}
    assert len({c.of["campaign"] for c in found.truth.calls}) == 3
    assert any(one.keypad and len(one.segments) > 1 for one in found.truth.supervisions)


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.parametrize("seed", [1, 4])
async def test_in_outages_the_window_holds_the_truth(seed: int, tmp_path: Path) -> None:
    found = await compared(tmp_path, HOUR, seed=seed, outages_per_hour=12)
    assert found.wrong == []
    assert {outage.get("why") for outage in found.truth.outages} >= {"connection", "restart"}
    gaps = [gap for gap in found.ledger["gaps"] if gap["ended"] is not None]
    assert len(gaps) == len(found.gaps) - 1 > 4  # the first is the time before it was attached
    assert [(gap["started"], gap["ended"]) for gap in gaps] == found.gaps[1:]
    assert found.exact > 150 and found.windows > 50
    restarted = {r["end_reason"] for r in found.ledger["calls"]}
    assert restarted >= {"call ended", "PBX restarted"}


async def cut_after(size: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    """A quarter of an hour in which the first connection ends after so many bytes, be it in the
    middle of a message."""
    left = size
    send = Session.send

    async with day(folder, seed=11) as here:

        def send_less(self: Session, data: bytes) -> None:
            nonlocal left
            if left <= 0:
                send(self, data)
                return
            send(self, data[:left])
            left -= len(data)
            if left <= 0:
                here.cut = True
                self.close()  # what was written goes out first

        monkeypatch.setattr(Session, "send", send_less)
        await here.advance(900)
    monkeypatch.undo()
    assert left <= 0, "there was so much to cut"
    found = Comparison(
        read_truth(folder / "truth.jsonl"),
        read_ledger(folder / "data" / "monitord.sqlite3"),
        [(0, here.attached_at), *here.gaps],
    )
    found.run()
    return found


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.parametrize("size", range(1_000, 600_000, 99_991))
async def test_cut_after_so_many_bytes(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cut_after(size, tmp_path, monkeypatch)
    assert found.wrong == [] and found.exact + found.windows > 60


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.faults
@pytest.mark.parametrize("size", range(1_013, 600_000, 3_511))
async def test_cut_in_many_places(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cut_after(size, tmp_path, monkeypatch)
    assert found.wrong == []


async def test_a_false_ledger_is_found_out(tmp_path: Path) -> None:
    """The comparison can fail: each of these is one lie."""
    found = await compared(tmp_path, 600, seed=5)
    assert found.wrong == []
    whole = [
        row
        for row in found.ledger["supervisions"]
        if row["started_exact"] and row["ended"] is not None
    ]
    call = next(r for r in found.ledger["calls"] if r["result"] and r["started_exact"])
    segment = next(s for s in found.ledger["segments"] if s["supervision"] == whole[0]["id"])

    def lies() -> list[str]:
        return Comparison(found.truth, found.ledger, found.gaps).run()

    for row, key, value in (
        (whole[0], "type", "Unknown"),
        (whole[0], "ended", whole[0]["ended"] + 1),
        (whole[0], "end_reason", "lost"),
        (whole[0], "agent_endpoint", "PJSIP/1999"),
        (segment, "campaign", "Another"),
        (call, "result", "ANOTHER"),
        (call, "list", None),
    ):
        kept, row[key] = row[key], value
        assert len(lies()) == 1, key
        row[key] = kept
    for table in ("supervisions", "calls"):
        rows = found.ledger[table]
        row = whole[0] if table == "supervisions" else call
        rows.remove(row)
        assert len(lies()) == 1
        rows.append(row)
        invented = {**row, "id": "x", "spyer": "1.1", "call_id": "1.1"}
        rows.append(invented)
        assert len(lies()) == 1
        rows.remove(invented)
    assert lies() == []
