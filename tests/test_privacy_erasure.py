"""Erased: nothing is left in the database and in a backup that is taken after, and the audit log is
whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitord.audit.keys import is_signed
from monitord.domain.ledger import OutgoingRecord
from monitord.people.erased import ENDPOINT, NAME, is_pseudonym
from tests.kit import privacy as kit
from tests.kit.centre import Centre, centre
from tests.kit.ledger import read_audit
from tests.kit.records import call, segment, supervision
from tests.kit.roster import editor
from tests.kit.stores import Store

REASON = {"reason": "asked for it in ticket 4711"}


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Centre]:
    async with centre(
        tmp_path,
        store=store,
        people=kit.people(),
        extra=kit.TOLD,
        supervisions=8,
        supervisors=8,
        agents=8,
    ) as made:
        yield made


async def test_nothing_is_left_of_a_person(here: Centre, store: Store, tmp_path: Path) -> None:
    await kit.live_through_it(here)
    told = json.dumps({"notice": {"supervisor": {"id": kit.WHO, "name": kit.NAME}}})
    waiting = OutgoingRecord(
        id="a.1", hook="a", key="1", event="notice", body=told.replace(": ", ":"), made=1, due=2**42
    )
    here.daemon.recorder.take([waiting])
    await here.daemon.recorder.settled()
    before = kit.found_in(kit.places(store, tmp_path), kit.HERS)
    assert {word for _, word, _ in before} == set(kit.HERS), "she was there"
    async with editor(here.daemon.url) as max_:
        erase = f"/privacy/people/{kit.WHO}/erase"
        status, said = await kit.ask(max_.client, "POST", erase, REASON)
        assert (status, "have not left" in said["message"]) == (409, True)
        await kit.leave(max_, here)
        named = {"reason": f"it is about {kit.NAME.upper()}"}
        status, said = await kit.ask(max_.client, "POST", erase, named)
        assert (status, said["field"]) == (400, "reason")
        async with here.ina.stream() as stream:
            await stream.until(lambda s: s.of("alert"), "the alerts are shown")
            assert kit.NAME in json.dumps(stream.of("alert"))
            status, receipt = await kit.ask(max_.client, "POST", erase, REASON)
            assert status == 200, receipt
            await stream.level()
            assert kit.NAME not in json.dumps(stream.of("alert")), "open pages forget the name"
        assert {"supervision", "call", "agent_status", "alert", "hold", "saved_view"} <= {
            *receipt["rows"]
        }
        assert {"notice", "reason", "never_monitor", "outbox"} <= {*receipt["rows"]}
        assert {"flag", "flag_version", "flag_answer"} <= {*receipt["rows"]}
        assert {"review", "commitment", "focus", "review_pattern", "call_part"} <= {
            *receipt["rows"]
        }
        assert {"person", "role", "ownership", "credential", "api_token"} <= {*receipt["rows"]}
        people = (await max_.client.get("/api/v1/roster/people"))["rows"]
        assert kit.WHO not in {p["id"] for p in people}
        shown = await max_.client.get("/api/v1/privacy")
        assert [r["id"] for r in shown["receipts"]] == [receipt["id"]]
        file = await max_.client.get(f"/api/v1/privacy/receipts/{receipt['id']}")
    # It goes on: what the PBX tells brings nothing back.
    await here.advance(120)
    await here.daemon.recorder.settled()
    assert kit.found_in(kit.places(store, tmp_path), kit.HERS) == []
    facts = msgspec.json.decode(file["receipt"])
    assert is_signed(facts["public"], file["receipt"].encode(), file["signature"])
    assert facts["rows"] == receipt["rows"]
    assert kit.found_in({"receipt": json.dumps(file).encode()}, kit.HERS) == []
    assert kit.found_in({"keys": store.keys.read_bytes()}, kit.HERS) == []
    # Their own, and those of telephones that were theirs.
    pseudonyms = ", ".join(f"'{p}'" for p in facts["pseudonyms"] if is_pseudonym(p))
    rows = store.read(f"SELECT * FROM supervision WHERE supervisor_id IN ({pseudonyms})")
    assert rows and {r["supervisor_name"] for r in rows} == {NAME}
    assert {r["supervisor_endpoint"] for r in rows} == {ENDPOINT}
    report = kit.proved(store)
    assert report.fault is None and report.ledger > 20
    acts = [r for r in read_audit(store) if r["action"].startswith("erase")]
    assert [(r["actor_id"], r["target"]) for r in acts] == [
        ("max", receipt["id"]),
        (None, receipt["id"]),
    ]
    assert acts[0]["detail"]["reason"] == REASON["reason"] and acts[1]["about"] == acts[0]["n"]


async def test_nothing_is_left_of_a_number(here: Centre, store: Store, tmp_path: Path) -> None:
    """However it is written; and whoever has it in their hand still finds its rows."""
    times: dict[str, Any] = {"ended": 3_000, "length_ms": 500, "pbx": "old"}
    owner = supervision(77, **times)
    forms = [kit.NUMBER, kit.DIGITS, f"+{kit.DIGITS}"]
    calls = [call(n, number=form, **times) for n, form in enumerate(forms, 70)]
    part = segment(owner, 1, number=kit.NUMBER, call=calls[0].id, ended=3_000, length_ms=500)
    other = call(90, number=kit.DIGITS + "1", **times)
    here.daemon.recorder.take([owner, part, other, *calls])
    await here.daemon.recorder.settled()
    view = {"page": "history", "name": "v", "filters": {"number": kit.NUMBER}}
    assert (await kit.ask(here.ina, "PUT", "/views", {"views": [view]}))[0] == 200
    export = {"format": "json", "number": kit.DIGITS}
    async with here.ina.http.get("/api/v1/calls/export", params=export) as response:
        assert len((await response.json())["entries"]) == 1
    async with editor(here.daemon.url) as max_:
        body = {"number": f"0049 {kit.DIGITS[2:]}", **REASON}
        status, said = await kit.ask(max_.client, "POST", "/privacy/numbers/erase", body)
        assert (status, said["rows"]) == (200, {}), "another number, which nobody has"
        body["number"] = f"+{kit.DIGITS}"
        status, said = await kit.ask(max_.client, "POST", "/privacy/numbers/erase", body)
        assert (status, said["rows"]) == (200, {"call": 3, "segment": 1, "saved_view": 1})
    places = kit.places(store, tmp_path)
    # The one that only begins with the same digits is still there.
    assert kit.found_in(places, [kit.DIGITS + "1"])
    content = {k: v.replace((kit.DIGITS + "1").encode(), b"") for k, v in places.items()}
    assert kit.found_in(content, forms) == []
    for form in forms:
        found = await here.ina.get("/api/v1/calls", number=form)
        assert {(r["id"], r["number"]) for r in found["rows"]} == {(c.id, "erased") for c in calls}
        assert await here.ina.get("/api/v1/calls/count", number=form) == {
            "rows": 3,
            "exact": True,
        }
    assert kit.proved(store).fault is None
    # It calls again, which is a new number's business.
    again = call(99, number=kit.DIGITS, started=2**41, ended=2**41 + 5, length_ms=5, pbx="old")
    here.daemon.recorder.take([again])
    await here.daemon.recorder.settled()
    found = await here.ina.get("/api/v1/calls", number=kit.DIGITS)
    assert [r["number"] for r in found["rows"]] == [kit.DIGITS, *["erased"] * 3]
    assert kit.proved(store).fault is None


async def test_what_is_held_or_runs_is_not_erased(here: Centre, store: Store) -> None:
    times: dict[str, Any] = {"started": 1_000, "pbx": "old"}
    her = {"supervisor_id": kit.WHO, "supervisor_name": kit.NAME}
    ended = supervision(5, ended=3_000, length_ms=500, **times, **her)
    open_ = supervision(6, **{**times, "pbx": "lab"}, **her)
    here.daemon.recorder.take([ended, open_, call(5, call_id="9.5", ended=2_000, **times)])
    here.daemon.recorder.take([segment(ended, 1, call=call(5).id, call_id="9.5", ended=3_000)])
    async with editor(here.daemon.url) as max_:
        await kit.leave(max_, here)
        erase = f"/privacy/people/{kit.WHO}/erase"

        async def refused(words: str) -> None:
            status, said = await kit.ask(max_.client, "POST", erase, REASON)
            assert status == 409 and words in said["message"], said

        await refused("a supervision by them or of them runs")
        here.daemon.recorder.take([msgspec.structs.replace(open_, ended=4_000, length_ms=9)])
        await here.daemon.recorder.settled()
        for kind, value in (
            ("all", ""),
            ("person", kit.WHO),
            ("person", "ann"),
            ("supervision", ended.id),
            ("call", "9.5"),
        ):
            hold = {"kind": kind, "value": value, "reason": "a suit"}
            status, made = await kit.ask(max_.client, "POST", "/privacy/holds", hold)
            assert status == 201, made
            await refused("held")
            lift = f"/privacy/holds/{made['id']}/lift"
            assert (await kit.ask(max_.client, "POST", lift, {}))[0] == 200
            assert (await kit.ask(max_.client, "POST", lift, {}))[0] == 409
        assert len(store.read(f"SELECT id FROM supervision WHERE supervisor_id = '{kit.WHO}'")) > 1
        status, said = await kit.ask(max_.client, "POST", erase, REASON)
        assert status == 200, said
    assert kit.proved(store).fault is None
    acts = [r["action"] for r in read_audit(store)]
    assert acts.count("hold") == acts.count("lift hold") == 5
