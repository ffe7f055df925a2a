"""All that is held on somebody: no table is forgotten, nothing that opens something is in it, and
it is in the audit log before its first byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitord.people.erased import NAME
from monitord.privacy.rules import HOLDINGS, NOTHING
from monitord.store.tables import metadata
from tests.kit import privacy as kit
from tests.kit.centre import centre
from tests.kit.client import Client
from tests.kit.ledger import read_audit
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.roster import editor, quiet
from tests.kit.stores import Store

SECRET = ("key", "password_hash")


def test_every_table_is_looked_at_or_says_why_not() -> None:
    """A new table goes into the one list or the other."""
    assert HOLDINGS.keys() | NOTHING.keys() == metadata.tables.keys()
    assert not HOLDINGS.keys() & NOTHING.keys()


def test_every_column_that_names_somebody_is_known() -> None:
    """Of the tables that hold something of people: those columns that sound like it."""
    for name, holding in HOLDINGS.items():
        table = metadata.tables[name]
        known = {holding.number, *holding.omit}
        for spot in holding.spots:
            known |= {spot.id, spot.name, spot.endpoint, spot.text}
        if name in ("audit", "endpoint_seen", "never_monitor") or holding.goes:
            continue  # sealed; found by the name; removed by hand; removed whole
        for column in table.columns:
            sounds = any(
                part in column.name
                for part in ("_name", "_endpoint", "person", "number", "login", "address", "by_id")
            )
            people = column.name in ("supervisor_id", "agent_id", "leader")
            assert not (sounds or people) or column.name in known, f"{name}.{column.name}"


async def held(client: Client, who: str | None = None, number: str | None = None) -> Any:
    if who is not None:
        request = client.http.get(f"/api/v1/privacy/people/{who}/export")
    else:
        request = client.http.post("/api/v1/privacy/numbers/export", json={"number": number})
    async with request as response:
        text = await response.text()
        assert response.status == 200, text
        assert "attachment" in response.headers["Content-Disposition"]
        return json.loads(text)


def by_table(found: Any) -> dict[str, list[Any]]:
    assert found["complete"] and found["rows"] == sum(len(h["rows"]) for h in found["holdings"])
    return {h["table"]: h["rows"] for h in found["holdings"]}


async def test_of_a_person(tmp_path: Path, store: Store) -> None:
    async with centre(
        tmp_path,
        store=store,
        people=kit.people(),
        extra=kit.TOLD,
        supervisions=8,
        supervisors=8,
        agents=8,
    ) as here:
        await kit.live_through_it(here)
        async with Client(here.daemon.url) as ada:
            assert await ada.sign_in("ada") == 200
            found = await held(ada, kit.WHO)
        await here.daemon.recorder.settled()
        rows = by_table(found)
        assert list(rows) == list(HOLDINGS)
        assert all(rows[t] for t in HOLDINGS if t not in ("endpoint_seen", "outbox")), rows.keys()
        assert [h["value"] for h in rows["hold"]] == [kit.WHO]
        for table in ("supervision", "call", "agent_status", "alert"):
            columns = [s.id for s in HOLDINGS[table].spots]
            where = " OR ".join(f"{c} = '{kit.WHO}'" for c in columns)
            there = {r["id"] for r in store.read(f'SELECT id FROM "{table}" WHERE {where}')}
            assert {r["id"] for r in rows[table]} >= there - _newer(rows, table, there)
            assert all(kit.WHO in [r[c] for c in columns] for r in rows[table])
        owners = {r["id"] for r in rows["supervision"]}
        assert {s["supervision"] for s in rows["segment"]} <= owners
        numbers = {c["number"] for c in rows["call"]} | {s["number"] for s in rows["segment"]}
        assert all(n is None or n.startswith("•••") for n in numbers), "customers' own"
        assert {v["person"] for v in rows["saved_view"]} == {kit.WHO, "ina"}
        assert {p["id"] for p in rows["person"]} == {kit.WHO, "sue"}, "and whom she leads"
        assert not any(s in row for t in rows.values() for row in t for s in SECRET)
        assert rows["credential"][0]["login"] == kit.LOGIN
        acts = {r["action"] for r in rows["audit"]}
        assert {"sign in", "export", "disconnect", "make token", "hold", "lift hold"} <= acts
        assert {"acknowledge alert", "observe supervision", "observe alert", "give roles"} <= acts
        assert rows["audit"][-1]["action"] == "export person", "before its first byte"
        assert rows["audit"][-1]["actor"] == ["ada", "Ada Auditor"]
        assert "•••" not in json.dumps(rows["audit"], ensure_ascii=False)
        for row in store.read("SELECT DISTINCT number FROM segment WHERE number IS NOT NULL"):
            assert row["number"] not in json.dumps(rows["audit"])


def _newer(rows: dict[str, list[Any]], table: str, there: set[str]) -> set[str]:
    """Rows that came while it was read: what runs goes on."""
    last = max(r.get("started", r.get("raised")) for r in rows[table])
    return {i for i in there if i not in {r["id"] for r in rows[table]}} if last else set()


async def test_of_a_number(tmp_path: Path, store: Store) -> None:
    times: dict[str, Any] = {"ended": 3_000, "length_ms": 500, "pbx": "old"}
    owner, phone = supervision(7, **times), call(7, number=kit.NUMBER, **times)
    rows = [owner, phone, segment(owner, 1, number=kit.DIGITS, call=phone.id)]
    others = [call(8, number="12345", **times), segment(owner, 2, number="12345")]
    async with quiet(tmp_path, store) as daemon, editor(daemon.url) as max_:
        daemon.recorder.take([*rows, *others])
        await daemon.recorder.settled()
        found = by_table(await held(max_.client, number=f"+{kit.DIGITS}"))
        assert {t: len(r) for t, r in found.items() if r} == {"segment": 1, "call": 1, "audit": 2}
        assert found["call"][0]["number"] == kit.NUMBER, "it came in the hand of who asks"
        assert [r["action"] for r in found["audit"]] == ["observe segment", "export number"]
        body = {"number": kit.DIGITS, "reason": "they asked for it"}
        assert (await kit.ask(max_.client, "POST", "/privacy/numbers/erase", body))[0] == 200
        found = by_table(await held(max_.client, number=kit.NUMBER))
        assert len(found["call"]) == len(found["segment"]) == 1
        assert kit.found_in({"": json.dumps(found).encode()}, [kit.NUMBER]) == []
        for bad in ("12", "anonymous", ""):
            status_, said = await kit.ask(
                max_.client, "POST", "/privacy/numbers/export", {"number": bad}
            )
            assert (status_, said["field"]) == (400, "number")
    assert kit.proved(store).fault is None
    asked = [r for r in read_audit(store) if r["action"] == "export number"]
    assert [r["actor_id"] for r in asked] == ["max", "max"]


async def test_a_long_one_comes_whole(tmp_path: Path, store: Store) -> None:
    """More rows than are in memory at a time, of a table with a key of several columns as well."""
    times: dict[str, Any] = {"ended": 3_000, "length_ms": 500, "pbx": "old"}
    rows: list[Any] = [gap(1)]
    for n in range(1_203):
        phone = call(n, **times)
        rows += [phone, alias(f"a{n}", phone), status(n, **times)]
    async with quiet(tmp_path, store) as daemon, editor(daemon.url) as max_:
        daemon.recorder.take(rows)
        await daemon.recorder.settled()
        found = by_table(await held(max_.client, "ann"))
        assert (len(found["call"]), len(found["agent_status"])) == (1_203, 1_203)
        async with max_.client.http.get("/api/v1/privacy/people/nobody/export") as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "person", "value": "nobody", "reason": "a suit"}, "value"),
        ({"kind": "person", "value": "ann", "reason": "  x"}, None),
        ({"kind": "person", "value": "ann", "reason": "a"}, "reason"),
        ({"kind": "number", "value": "ab", "reason": "a suit"}, "value"),
        ({"kind": "all", "value": "x", "reason": "a suit"}, "value"),
        ({"kind": "team", "value": "x", "reason": "a suit"}, "kind"),
        ({"kind": "call", "value": "7.999", "reason": "a suit"}, "value"),
        ({"kind": "supervision", "value": "f" * 20, "reason": "a suit"}, "value"),
    ],
)
async def test_a_hold_that_cannot_be(tmp_path: Path, body: dict[str, str], field: str) -> None:
    async with quiet(tmp_path) as daemon, editor(daemon.url) as max_:
        status_, said = await kit.ask(max_.client, "POST", "/privacy/holds", body)
        if field is None:
            assert status_ == 201
            status_, said = await kit.ask(max_.client, "POST", "/privacy/holds", body)
            assert (status_, said["message"]) == (400, "there is such a hold already")
        else:
            assert (status_, said["field"]) == (400, field), said


async def test_a_number_on_hold_is_masked_for_who_may_not_see_it(tmp_path: Path) -> None:
    async with quiet(tmp_path) as daemon, editor(daemon.url) as max_:
        body = {"kind": "number", "value": kit.NUMBER, "reason": "a suit"}
        status_, made = await kit.ask(max_.client, "POST", "/privacy/holds", body)
        assert (status_, made["value"]) == (201, "•••71")
        (hold,) = (await kit.ask(max_.client, "GET", "/privacy"))[1]["holds"]
        assert (hold["value"], hold["by"], hold["lifted"]) == ("•••71", "Max Minder", None)
        body = {"number": kit.DIGITS, "reason": "they asked"}
        assert (await kit.ask(max_.client, "POST", "/privacy/numbers/erase", body))[0] == 409
        await kit.ask(max_.client, "POST", f"/privacy/holds/{hold['id']}/lift", {})
        assert (await kit.ask(max_.client, "POST", "/privacy/numbers/erase", body))[0] == 200
        (hold,) = (await kit.ask(max_.client, "GET", "/privacy"))[1]["holds"]
        assert hold["value"].startswith("n") and hold["reason"] == "erased"
        assert NAME not in json.dumps(hold)
