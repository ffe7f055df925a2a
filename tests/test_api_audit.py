"""The auditor's part of the API, on both databases."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from monitord.api.failures import FAILURES
from monitord.api.keys import AUDIT
from monitord.audit import sheet
from monitord.audit.chain import Row, hash_of
from monitord.audit.heads import signed_by
from monitord.audit.kinds import KIND
from monitord.audit.reading import row_from
from monitord.audit.verify import Head
from monitord.store import engine as engines
from tests.kit.centre import SECRET, Centre, centre, until
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon, password_hash
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore, Store

ALDO = f"""
[[people]]
id = "aldo"
name = "Aldo Auditor"
login = "aldo"
role = "auditor"
password_hash = "{password_hash()}"
"""


@asynccontextmanager
async def auditor(here: Centre) -> AsyncIterator[Client]:
    async with Client(here.daemon.url) as aldo:
        assert await aldo.sign_in("aldo") == 200
        yield aldo


def with_aldo() -> str:
    return Site(0, "").people + ALDO


async def proved(client: Client) -> dict[str, Any]:
    """The outcome of a new proof."""
    async with client.http.post("/api/v1/audit/proof", data=b"") as response:
        assert response.status == 200, await response.text()
        begun = (await response.json())["running"]
    assert begun is not None
    while True:
        state = await client.get("/api/v1/audit/proof")
        if state["running"] is None:
            return dict(state["last"])
        await asyncio.sleep(0.01)


async def every_row(client: Client, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    place: dict[str, str] = {}
    while True:
        page = await client.get("/api/v1/audit/rows", limit="50", **params, **place)
        found += page["rows"]
        if page["next"] is None:
            return found
        place = {"cursor": page["next"]}


async def test_an_auditor_reads_filters_and_proves(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store, people=with_aldo()) as here:
        await here.advance(60)
        await (
            here.daemon.recorder.settled()
        )  # rows that change again before they are written are one
        (supervision, *_) = here.running()
        status, _ = await here.meanwhile(here.sue.disconnect(supervision))
        assert status == 200
        await here.daemon.recorder.settled()
        async with auditor(here) as aldo:
            first = {r["n"] for r in read_audit(store, whole=True)}
            rows = await every_row(aldo)
            assert {r["n"] for r in rows} >= first
            assert [r["n"] for r in rows] == sorted((r["n"] for r in rows), reverse=True)
            (command,) = [r for r in rows if r["action"] == "disconnect"]
            assert command["actor"]["name"] == "Sue Supervisor" and command["kind"] == "command"
            assert command["outcome"]["state"] == "known"
            assert command["outcome"]["outcome"] == "confirmed"

            # Each row with the hash that anybody can make anew.
            detail = await aldo.get(f"/api/v1/audit/rows/{command['n']}")
            raw = row_from(detail["raw"])
            assert hash_of(detail["before"], raw) == raw.hash == command["hash"]

            # Folded: a supervision once, as it was last seen, with its parts; nothing of it alone.
            folded = await every_row(aldo, folded="true", kind="supervision")
            targets = [(r["action"], r["target"]) for r in folded]
            assert len(set(targets)) == len(targets)
            assert not [a for a, _ in targets if a == "observe segment"]
            (one,) = [r for r in folded if r["target"] == supervision]
            assert one["versions"] > 1 and one["parts"]
            assert one["detail"]["row"]["ended_by_name"] == "Sue Supervisor"
            number = one["parts"][0]["number"]
            assert number is None or number.startswith("•••")
            same = await aldo.get(f"/api/v1/audit/rows/{one['n']}")
            assert len(same["versions"]) >= one["versions"] + len(one["parts"])

            # Filters.
            about = await every_row(aldo, supervision=supervision)
            assert {r["action"] for r in about} >= {
                *("disconnect", "disconnect outcome", "observe supervision", "observe segment"),
            }
            assert all(r["target"].startswith(supervision) for r in about)
            by_sue = await every_row(aldo, actor="sue")
            assert by_sue and all(r["actor"]["id"] == "sue" for r in by_sue)
            agent = one["detail"]["row"]["agent_id"]
            concerned = await every_row(aldo, person=agent)
            assert one["n"] in {r["n"] for r in concerned}
            assert await every_row(aldo, person="nobody at all") == []
            (begin, end) = (rows[-3]["at"], rows[0]["at"])
            some = await every_row(aldo, begin=str(begin), end=str(end))
            assert some and all(begin <= r["at"] < end for r in some)

            result = await proved(aldo)
            assert (result["outcome"], result["broken_at"]) == ("whole", None)
            assert result["by"]["name"] == "Aldo Auditor" and result["ledger"] > 0

            head = await aldo.get("/api/v1/audit/head")
            public = head.pop("public")
            assert public == here.daemon.web[AUDIT].keys.public
            assert signed_by(public, Head(**head))
            choices = await aldo.get("/api/v1/audit/people", typed="super")
            assert {"value": "sue", "name": "Sue Supervisor"} in choices["choices"]
        # Reading the log is in the log.
        viewed = [r for r in read_audit(store, whole=True) if r["action"] == "view audit log"]
        assert {r["actor_id"] for r in viewed} == {"aldo"}


async def test_numbers_are_looked_up_only_by_who_may_see_them(tmp_path: Path) -> None:
    people = with_aldo().replace('role = "QA manager"', 'role = "auditor"', 1)
    async with centre(tmp_path, people=people) as here:
        await here.advance(60)
        await here.daemon.recorder.settled()
        sql = "SELECT number, supervision FROM segment WHERE number IS NOT NULL"
        found = here.store.read(sql)[0]
        number = found["number"]
        async with auditor(here) as aldo:
            params = {"number": number}
            async with aldo.http.get("/api/v1/audit/rows", params=params) as response:
                assert response.status == 403 and (await response.json())["field"] == "number"
            assert number not in json.dumps(await every_row(aldo))
            # Somebody who may see numbers as well: the hash finds what stands in no row.
            everybody = here.daemon.web[AUDIT].keys
            assert number not in json.dumps(here.store.read("SELECT * FROM audit"))
            hits = here.store.read(
                f"SELECT target FROM audit WHERE number = '{everybody.number(number)}'"
            )
            assert {h["target"].split("-")[0] for h in hits} >= {found["supervision"]}


async def test_an_export_is_proved_offline_and_tampering_is_found(
    tmp_path: Path, store: Store
) -> None:
    async with centre(tmp_path, store=store, people=with_aldo()) as here:
        await here.advance(60)
        await here.daemon.recorder.settled()
        public = here.daemon.web[AUDIT].keys.public
        async with auditor(here) as aldo:
            async with aldo.http.get("/api/v1/audit/export") as response:
                assert response.status == 200
                body, expected = await response.read(), response.headers["Monitord-Rows"]
            async with aldo.http.get(
                "/api/v1/audit/export", params={"kind": "sign-in", "actor": "sue"}
            ) as response:
                part = await response.read()
    acts = [r for r in read_audit(store) if r["action"].startswith("export")]
    assert sorted(r["action"] for r in acts) == ["export"] * 2 + ["export outcome"] * 2
    done = {r["about"]: r["detail"] for r in acts if r["action"] == "export outcome"}
    assert done[acts[0]["n"]] == {"outcome": "complete", "why": "", "rows": int(expected)}
    file = tmp_path / "export.jsonl"

    def prove(data: bytes, key: str | None = public) -> sheet.Proved:
        file.write_bytes(data)
        return sheet.prove(file, key)

    said = prove(body).summary
    assert str(said.rows) == expected and said.first is not None and said.first.n == 1
    assert prove(part).summary.rows == 1

    lines = body.splitlines(keepends=True)
    for n in (0, 1, len(lines) // 2, len(lines) - 1):
        line = bytearray(lines[n])
        at = line.rindex(b'"') - 1
        line[at] ^= 1
        with pytest.raises(sheet.ExportError):
            prove(b"".join([*lines[:n], bytes(line), *lines[n + 1 :]]))
        with pytest.raises(sheet.ExportError):
            prove(b"".join([*lines[:n], *lines[n + 1 :]]))
    with pytest.raises(sheet.ExportError, match="not as it was written"):
        prove(body.replace(b'"action":"sign in"', b'"action":"sign up"', 1))
    with pytest.raises(sheet.ExportError, match="SHA-256"):
        prove(body.replace(b"Sue Supervisor", b"Tom Supervisor", 1))
    with pytest.raises(sheet.ExportError, match="is a part"):
        prove(body[: len(body) // 2])
    with pytest.raises(sheet.ExportError, match="more after"):
        prove(body + lines[1])
    with pytest.raises(sheet.ExportError, match="not of that key"):
        prove(body, "A" * 43 + "=")


@pytest.mark.parametrize("spoil", ["row", "ledger"])
async def test_a_proof_over_http_names_the_first_broken_row(tmp_path: Path, spoil: str) -> None:
    async with centre(tmp_path, people=with_aldo()) as here:
        await here.advance(60)
        await here.daemon.recorder.settled()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "data", copy)
    with closing(sqlite3.connect(copy / "monitord.sqlite3")) as db, db:
        if spoil == "row":
            db.execute("DROP TRIGGER audit_no_update")
            db.execute("UPDATE audit SET at = at + 1 WHERE n = 7")
            expected = 7
        else:
            (target, expected) = db.execute(
                "SELECT target, max(n) FROM audit WHERE action = 'observe supervision'"
                " GROUP BY target ORDER BY target"
            ).fetchone()
            db.execute("UPDATE supervision SET means = 'magic' WHERE id = ?", (target,))
    store = SqliteStore.in_folder(copy)
    site = Site(9, SECRET, store=store, people=with_aldo())
    async with daemon(site, tmp_path) as started, Client(started.url) as aldo:
        assert await aldo.sign_in("aldo") == 200
        result = await proved(aldo)
        assert (result["outcome"], result["broken_at"]) == ("broken", expected)
        assert str(expected) in result["why"]
        # It is kept, with who asked.
        again = (await aldo.get("/api/v1/audit/proof"))["last"]
        assert again == result and again["by"]["id"] == "aldo"


async def test_one_proof_at_a_time_and_it_can_be_cancelled(tmp_path: Path) -> None:
    async with centre(tmp_path, people=with_aldo()) as here, auditor(here) as aldo:
        await here.advance(60)
        statuses = []
        for _ in range(2):
            async with aldo.http.post("/api/v1/audit/proof", data=b"") as response:
                statuses.append(response.status)
        async with aldo.http.delete("/api/v1/audit/proof") as response:
            assert response.status == 204
        while (state := await aldo.get("/api/v1/audit/proof"))["running"] is not None:
            await asyncio.sleep(0.01)
        # Whichever was faster.
        assert (statuses, state["last"]["outcome"]) in (
            ([200, 409], "cancelled"),
            ([200, 409], "whole"),
            ([200, 200], "cancelled"),
            ([200, 200], "whole"),
        )
        acts = [r for r in read_audit(here.store) if r["action"].startswith("prove")]
        assert [r["action"] for r in acts[:2]] == ["prove log", "prove log outcome"]


async def test_each_view_of_history_is_a_row_before_the_answer(
    tmp_path: Path, store: Store
) -> None:
    async with centre(tmp_path, store=store) as here:
        await here.daemon.recorder.settled()
        (supervision, *_) = here.running()

        def views() -> list[tuple[str, Any]]:
            rows = read_audit(store, whole=True)
            assert all(r["actor_id"] == "ina" for r in rows if r["action"] == "view history")
            return [
                (r["target"], r["detail"]["filters"]) for r in rows if r["action"] == "view history"
            ]

        assert views() == []
        await here.ina.get("/api/v1/supervisions", agent="ann", limit="3")
        # The same question: another page of it, its count.
        await here.ina.get("/api/v1/supervisions", agent="ann", limit="4")
        await here.ina.get("/api/v1/supervisions/count", agent="ann")
        assert views() == [("supervisions", {"agent": "ann"})]
        await here.ina.get(f"/api/v1/supervisions/{supervision}")
        await here.ina.get("/api/v1/calls", number="5551")
        await here.ina.get("/api/v1/history/choices", ledger="calls", filter="agent", typed="an")
        await here.ina.get("/api/v1/team")
        assert views()[1:] == [
            (supervision, {}),
            ("calls", {"number": "5551"}),
            ("choices of calls: agent", {}),
            ("team", {}),
        ]
        number = here.daemon.web[AUDIT].keys.number("5551")
        assert store.read(f"SELECT n FROM audit WHERE number = '{number}'")


async def test_what_cannot_be_written_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path, people=with_aldo()) as here, auditor(here) as aldo:
        await here.daemon.recorder.settled()
        async with here.store.locked():
            for client, path in ((here.ina, "supervisions"), (aldo, "audit/rows")):
                async with client.http.get(f"/api/v1/{path}") as response:
                    assert response.status == 503
        await here.ina.get("/api/v1/supervisions")
        views = [r for r in read_audit(here.store, whole=True) if r["action"] == "view history"]
        assert len(views) == 1


async def test_failed_sign_ins_are_rows_and_a_flood_is_counted(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        assert await here.ina.sign_in("sue", "wrong") == 401
        assert await here.ina.sign_in("Nobody Known", "wrong") == 401
        rows = [r for r in read_audit(here.store) if r["action"] == "fail sign-in"]
        assert [r["detail"]["login"] for r in rows] == ["sue", "Nobody Known"]
        keys = here.daemon.web[AUDIT].keys
        sue = keys.pseudonym_of("sue")
        stored = here.store.read("SELECT subject FROM audit WHERE action = 'fail sign-in'")
        assert [r["subject"] for r in stored] == [sue, keys.pseudonym_of("login:nobody known")]
        assert "Nobody Known" not in json.dumps(here.store.read("SELECT * FROM audit"))
        statuses = [await here.ina.sign_in("sue", "wrong") for _ in range(12)]
        assert statuses.count(429) == 4
        await here.daemon.web[FAILURES].tell()
        acts = read_audit(here.store)
        assert len([r for r in acts if r["action"] == "fail sign-in"]) == 10
        (refused,) = [r for r in acts if r["action"] == "refuse sign-ins"]
        assert refused["detail"]["tries"] == 4 and refused["detail"]["address"] == "127.0.0.1"


async def test_signing_out_is_a_row(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        async with here.ina.http.delete("/api/v1/session") as response:
            assert response.status == 204
        last = read_audit(here.store)[-1]
        assert (last["action"], last["actor_id"]) == ("sign out", "ina")


async def test_shared_views_are_rows(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:

        async def put(*views: dict[str, Any]) -> Any:
            async with here.ina.http.put("/api/v1/views", json={"views": views}) as response:
                assert response.status == 200, await response.text()
                return (await response.json())["views"]

        view = {"id": "", "page": "history", "name": "Ours", "filters": {"agent": "ann"}}
        (made,) = await put({**view, "shared": False})
        view["id"] = made["id"]
        await put({**view, "shared": True})
        await put({**view, "shared": True, "name": "Theirs"})
        await put({**view, "shared": True, "name": "Theirs"})
        await put()
        rows = [r for r in read_audit(here.store) if "view" in r["action"]]
        assert [(r["action"], r["detail"]["name"]) for r in rows] == [
            ("share view", "Ours"),
            ("change shared view", "Theirs"),
            ("stop sharing view", "Theirs"),
        ]


def test_every_act_has_a_kind() -> None:
    root = Path(__file__).parent.parent / "monitord"
    found = set()
    for path in root.rglob("*.py"):
        found |= set(re.findall(r'action="([^"]+)"', path.read_text()))
    assert len(found) > 20 and found <= set(KIND)


def test_a_row_of_an_export_is_a_row_of_the_chain() -> None:
    assert Row.__struct_fields__[-1] == "hash"


async def test_an_erased_person_is_shown_as_such(tmp_path: Path) -> None:
    async with centre(tmp_path, people=with_aldo()) as here, auditor(here) as aldo:
        keys = here.daemon.web[AUDIT].keys
        assert await here.ina.sign_in("tom", "wrong") == 401
        gone = keys.pseudonym_of("login:tom") or ""
        assert gone
        await keys.destroy([gone])
        (row,) = await every_row(aldo, person=gone)
        assert row["erased"] == [gone] and "login" not in row["detail"]
        assert await until(lambda: keys.person_of(gone) is None)
