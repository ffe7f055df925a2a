"""The history over HTTP: filters and their rules, counts, choices, and exports to their end."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from monitord.api import export, history
from monitord.api.sheets import instant, safe
from monitord.domain.words import SpyType
from monitord.store import engine as engines
from monitord.store.history import History, UnreadableError
from tests.kit.centre import Centre, centre, until
from tests.kit.client import DEADLINE
from tests.kit.http import raw
from tests.kit.ledger import read_audit
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.stores import Store

ROWS = 1_300
"""More than two batches of an export."""


def ledger() -> list[Any]:
    phone = call(1, pbx="old", number="+44 20 7946 0018", campaign="=1+1", list="@L", queue="")
    rows = [
        supervision(n, pbx="old", ended=2_000 + n, length_ms=1_000, campaign=f"c{n % 3}")
        for n in range(ROWS)
    ]
    first = rows[0]
    return [
        phone,
        alias("7.1", phone),
        alias("other", phone),
        *rows,
        segment(first, 1, call=phone.id, number="+44 20", campaign="summer", ended=1_500),
        segment(first, 2, campaign="c0", type=SpyType.COACH),
        status(1, pbx="old", ended=2_000, length_ms=999),
        gap(1_100, pbx="old", ended=1_200),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with centre(tmp_path_factory.mktemp("history")) as made:
        made.daemon.recorder.take(ledger())
        await made.daemon.recorder.settled()
        yield made


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refused(here: Centre, path: str, **params: str) -> tuple[int, str | None]:
    async with here.ina.http.get(path, params=params) as response:
        return response.status, (await response.json())["field"]


RULES: list[Any] = [
    ("supervisions", {"begin": "5", "end": "5"}, "end"),
    ("supervisions", {"type": "Whisper"}, "type"),
    ("supervisions", {"possible": "true"}, "possible"),
    ("supervisions", {"possible": "yes", "type": "Coach"}, "possible"),
    ("supervisions", {"number": "1"}, "number"),
    ("supervisions", {"end_reason": "bored"}, "end_reason"),
    ("calls", {"direction": "up"}, "direction"),
    ("calls", {"supervisor": "sue"}, "supervisor"),
    ("calls", {"number": "x" * 301}, "number"),
    ("agent-status", {"status": "asleep"}, "status"),
    ("gaps", {"agent": "ann"}, "agent"),
    ("supervisions/count", {"limit": "5"}, "limit"),
    ("supervisions/export", {}, "format"),
    ("supervisions/export", {"format": "xml"}, "format"),
    ("supervisions/export", {"format": "csv", "cursor": "x"}, "cursor"),
    ("supervisions/export", {"format": "csv", "zone": "Middle/Earth"}, "zone"),
    ("supervisions/export", {"format": "csv", "zone": "../../etc/passwd"}, "zone"),
    ("supervisions/export", {"format": "json", "rows": "segments"}, "rows"),
    ("calls/export", {"format": "csv", "rows": "segments"}, "rows"),
    ("history/choices", {}, "ledger"),
    ("history/choices", {"ledger": "gaps", "filter": "pbx"}, "ledger"),
    ("history/choices", {"ledger": "calls"}, "filter"),
    ("history/choices", {"ledger": "calls", "filter": "number"}, "filter"),
    ("history/choices", {"ledger": "calls", "filter": "list", "limit": "51"}, "limit"),
    ("history/choices", {"ledger": "calls", "filter": "list", "typed": "a", "value": "b"}, "value"),
]


@pytest.mark.parametrize("path, params, field", RULES)
async def test_what_is_refused_names_its_field(
    here: Centre, path: str, params: dict[str, str], field: str
) -> None:
    assert await refused(here, f"/api/v1/{path}", **params) == (400, field)


async def test_lists_counts_and_choices_agree(here: Centre) -> None:
    within = {"pbx": "old", "begin": "1", "end": "2000"}
    count = await here.ina.get("/api/v1/supervisions/count", **within, campaign="c1")
    assert count == {"rows": len(range(1, 1000, 3)), "exact": True}
    found = await here.ina.get("/api/v1/supervisions", pbx="old", campaign="summer")
    (row,) = found["rows"]
    assert (row["campaign"], row["earlier_campaigns"]) == ("c0", ["summer"])
    for name in ("7.1", "other"):
        by_call = await here.ina.get("/api/v1/supervisions", call=name)
        assert [r["id"] for r in by_call["rows"]] == [row["id"]]
    asked = {"ledger": "supervisions", "filter": "campaign", "typed": "summ"}
    answer = await here.ina.get("/api/v1/history/choices", **asked)
    assert answer == {"choices": [{"value": "summer", "name": "summer"}], "more": False}
    asked = {"ledger": "supervisions", "filter": "supervisor", "value": "sue"}
    answer = await here.ina.get("/api/v1/history/choices", **asked)
    assert answer["choices"] == [{"value": "sue", "name": "Sue Supervisor"}]
    gaps = await here.ina.get("/api/v1/gaps", begin="1150", end="1160")
    assert [g["started"] for g in gaps["rows"]] == [1_100], "it overlaps"


async def test_a_count_has_a_bound(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "COUNT_MOST", 100)
    count = await here.ina.get("/api/v1/supervisions/count", pbx="old")
    assert count == {"rows": 100, "exact": False}


async def export_of(here: Centre, path: str, **params: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with here.ina.http.get(f"/api/v1/{path}/export", params=params) as response:
        body = await response.read()
        assert response.status == 200, body
        return response, body


def sheet(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.count(b"\n") == body.count(b"\r\n")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


async def test_csv_has_every_row_once_in_the_order_of_the_list(here: Centre) -> None:
    response, body = await export_of(here, "supervisions", format="csv", pbx="old")
    assert response.headers["Monitord-Rows"] == str(ROWS)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="monitord-supervisions-' in response.headers["Content-Disposition"]
    rows = sheet(body)
    assert [int(r["id"], 16) for r in rows] == list(reversed(range(ROWS)))
    last = rows[-1]
    assert last["started"] == "1970-01-01T00:00:01.000+00:00" and last["length_ms"] == "1000"
    assert (last["at_least"], last["started_exact"], last["ended_after"]) == ("no", "yes", "")

    _, body = await export_of(
        here, "supervisions", format="csv", pbx="old", campaign="summer", zone="Asia/Kolkata"
    )
    (row,) = sheet(body)
    assert row["started"] == "1970-01-01T05:30:01.000+05:30"


async def test_csv_of_segments_and_of_calls_holds_no_formula(here: Centre) -> None:
    response, body = await export_of(
        here, "supervisions", format="csv", rows="segments", pbx="old", campaign="summer"
    )
    assert response.headers["Monitord-Rows"] == "2"
    rows = sheet(body)
    assert [(r["n"], r["type"], r["number"]) for r in rows] == [
        ("1", "Monitor", "'+44 20"),
        ("2", "Coach", ""),
    ]
    assert {r["supervision_supervisor_name"] for r in rows} == {"Sue Supervisor"}
    _, body = await export_of(here, "calls", format="csv", call="7.1")
    (row,) = sheet(body)
    assert (row["number"], row["campaign"], row["list"]) == ("'+44 20 7946 0018", "'=1+1", "'@L")
    _, body = await export_of(here, "agent-status", format="csv", pbx="old")
    assert [r["status"] for r in sheet(body)] == ["available"]
    _, body = await export_of(here, "gaps", format="csv", pbx="old")
    assert [r["why"] for r in sheet(body)] == ["lost"]


@pytest.mark.parametrize(
    "text, cell",
    [
        ("=1+1", "'=1+1"),
        (" \n=1", "' \n'=1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\t=1", "'\t'=1"),
        ("\u200b\x07=1", "'\u200b\x07=1"),
        ("\u00a0@x", "'\u00a0@x"),
        ("x;=1", "x;'=1"),
        ("x; ＋1", "x;' ＋1"),
        ("x\n-1", "x\n'-1"),
        ("a;b-c", "a;b-c"),
        ("-2", "'-2"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("+441", "'+441"),
        ("0441", "0441"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
async def test_formulas(text: str, cell: str) -> None:
    assert safe(text) == cell


async def test_an_instant_beyond_the_calendar_breaks_no_file() -> None:
    assert instant(1 << 60, UTC) == str(1 << 60)


async def test_json_nests_segments_and_says_that_it_is_whole(here: Centre) -> None:
    params = {"pbx": "old", "begin": "1000", "end": "2100"}
    response, body = await export_of(here, "supervisions", format="json", **params)
    whole = json.loads(body)
    wanted = int(response.headers["Monitord-Rows"])
    assert wanted == whole["expected"] == whole["rows"] == len(whole["entries"]) == 1_100
    assert whole["complete"] is True and whole["filters"] == params
    assert [g["why"] for g in whole["gaps"]] == ["lost"]
    listed = await here.ina.get("/api/v1/supervisions", limit="2", **params)
    assert [e["supervision"] for e in whole["entries"][:2]] == listed["rows"]
    first = whole["entries"][-1]
    assert [s["n"] for s in first["segments"]] == [1, 2]
    for path in ("calls", "agent-status", "gaps"):
        whole = json.loads((await export_of(here, path, format="json", pbx="old"))[1])
        assert whole["rows"] == 1 and len(whole["entries"]) == 1 and whole["complete"]
    nothing = json.loads((await export_of(here, "calls", format="json", agent="nobody"))[1])
    assert nothing["entries"] == [] and nothing["complete"] is True


async def test_only_what_had_begun_when_it_was_asked_for(
    here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = History.read
    written = False

    async def read_then_more_comes(self: History, *args: Any) -> Any:
        nonlocal written
        page = await read(self, *args)
        if not written:
            written = True
            late = supervision(99_999, pbx="old", started=1 << 44, agent_id="late")
            here.daemon.recorder.take([late])
            await here.daemon.recorder.settled()
        return page

    monkeypatch.setattr(History, "read", read_then_more_comes)
    _, body = await export_of(here, "supervisions", format="csv", pbx="old")
    assert written and len(sheet(body)) == ROWS


def exports(here: Centre) -> list[dict[str, Any]]:
    return [r for r in read_audit(here.store) if r["action"].startswith("export")]


def under_way(here: Centre) -> int:
    return here.daemon.web[export.EXPORTS].total()


async def test_each_stands_in_the_audit_log(here: Centre) -> None:
    # The outcome is written when the receiver has the last byte already.
    await until(lambda: under_way(here) == 0, "earlier ones")
    before = len(exports(here))
    await export_of(here, "calls", format="json", agent="nobody")
    await until(lambda: under_way(here) == 0, "this one")
    asked, outcome = exports(here)[before:]
    assert (asked["actor_id"], asked["target"]) == ("ina", "calls")
    assert asked["detail"] == {"filters": {"agent": "nobody"}, "format": "json", "rows": 0}
    assert outcome["about"] == asked["n"]
    assert outcome["detail"] == {"outcome": "complete", "why": "", "rows": 0}


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_one_that_breaks_off_cannot_be_taken_for_whole(
    form: str, here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = History.read

    async def read_once(self: History, ledger: Any, query: Any) -> Any:
        if query.cursor is not None:
            raise UnreadableError("disk I/O error")
        return await read(self, ledger, query)

    monkeypatch.setattr(History, "read", read_once)
    got = b""
    with pytest.raises(aiohttp.ClientError):
        async with here.ina.http.get(
            "/api/v1/supervisions/export", params={"format": form, "pbx": "old"}
        ) as response:
            assert response.status == 200
            async for chunk in response.content.iter_any():
                got += chunk
    assert b'"complete"' not in got
    await until(lambda: under_way(here) == 0, "its place")
    assert exports(here)[-1]["detail"] == {
        "outcome": "broken off",
        "why": "disk I/O error",
        "rows": 500,
    }


async def test_one_ends_with_its_receiver_and_with_the_session(tmp_path: Path) -> None:
    """And while two are under way a third is refused, then there is room again."""
    async with centre(tmp_path) as here:
        wide = [
            supervision(n, pbx="old", means="x" * 20_000, ended=9_000_000) for n in range(1_500)
        ]
        here.daemon.recorder.take(wide)
        await here.daemon.recorder.settled()
        params = {"format": "csv", "pbx": "old"}
        path = "/api/v1/supervisions/export"
        first = await here.ina.http.get(path, params=params)
        second = await here.ina.http.get(path, params=params)
        async with here.ina.http.get(path, params=params) as third:
            assert third.status == 429
        async with here.sue.http.get(path, params={**params, "agent": "nobody"}) as other:
            assert other.status == 200, "of another person"
            await other.read()
        first.close()
        # Its receiver has left, so its place is free without anybody reading it to the end.
        await until(lambda: under_way(here) == 1, "the first one's place")
        async with here.ina.http.delete("/api/v1/session") as response:
            assert response.status == 204
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(aiohttp.ClientError):
                await second.read()
        await until(lambda: under_way(here) == 0, "all places")
        outcomes = [r["detail"] for r in exports(here) if r["action"] == "export outcome"]
        ended = "the session ended, or what may be exported has changed"
        assert sorted(o["why"] for o in outcomes) == ["", "the receiver left", ended]


async def test_not_while_the_audit_log_cannot_be_written(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path, store=store) as here:
        await _refused_without_the_audit_log(here)


async def _refused_without_the_audit_log(here: Centre) -> None:
    await here.daemon.recorder.settled()
    async with here.store.locked():
        assert await refused(here, "/api/v1/calls/export", format="csv") == (503, None)
    assert under_way(here) == 0


async def test_csv_needs_a_protocol_that_can_break_off(here: Centre) -> None:
    host = here.daemon.url.removeprefix("http://")
    lines = [
        "GET /api/v1/calls/export?format=csv HTTP/1.0",
        f"Host: {host}",
        f"Cookie: {here.ina.cookie}",
    ]
    status_, _, body = await raw(here.daemon.url, "\r\n".join([*lines, "", ""]).encode())
    assert status_ == 400 and b"HTTP/1.1" in body
