"""The roster as a file over HTTP: nothing before its preview, and then exactly that."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from tests.kit.ledger import read_audit, read_ledger
from tests.kit.records import call
from tests.kit.roster import ROSTER, editor, quiet
from tests.kit.stores import Store
from tests.test_people_attribution import NEW, NOBODY, fill

FILE = (
    "id;name;team;leader;agent;endpoints;since\r\n"
    f"ann;Ann Other;Sales;sue;yes;PJSIP/1001|{NEW};1970-01-01T00:00:01\r\n"
    ";Zoë New;Sales;sue;yes;;\r\n"
).encode()


async def test_preview_then_exactly_that(tmp_path: Path, store: Store) -> None:
    await fill(store, [call(3, **NOBODY, started=2_500)])
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        before = await one.client.get(f"{ROSTER}/people")
        status, shown = await one.ask("POST", "/import/preview", FILE)
        assert status == 200 and shown["token"] is None
        assert [(f["line"], f["column"]) for f in shown["faults"]] == [(2, "team"), (3, "team")]
        status, shown = await one.ask("POST", "/import/preview", FILE, new_teams="true")
        assert (shown["new"], shown["changed"], shown["teams"]) == (1, 1, ["Sales"])
        assert [s["id"] for s in shown["steps"]] == ["ann", "zoe-new"] and not shown["faults"]
        assert await one.client.get(f"{ROSTER}/people") == before, "nothing is done"

        token = {"token": shown["token"], "new_teams": "true"}
        for body, query in ((FILE + b"x", token), (FILE, {"token": shown["token"]})):
            refused = await one.refused("POST", "/import", body, **query)
            assert refused[:2] == (412, "token"), "another file, or other options"
        assert (await one.refused("POST", "/import", FILE, new_teams="true"))[1] == "token"

        seen = len(read_audit(store))
        done = await one.done("POST", "/import", FILE, **token)
        assert (done["new"], done["changed"], done["attributed"]) == (1, 1, 1)
        ann = await one.person("ann")
        assert (ann["name"], ann["team"], ann["leader"]) == ("Ann Other", "sales", "sue")
        assert {(e["endpoint"], e["since"]) for e in ann["endpoints"]} == {
            ("PJSIP/1001", 0),
            (NEW, 1_000),
        }
        assert read_ledger(store)["calls"][0]["agent_id"] == "ann"
        audit = read_audit(store)[seen:]
        assert audit[0]["action"] == "import roster"
        assert audit[0]["detail"]["sha256"] == hashlib.sha256(FILE).hexdigest()
        assert {(r["action"], r["target"]) for r in audit[1:]} == {
            ("add team", "sales"),
            ("change person", "ann"),
            ("add person", "zoe-new"),
            ("change endpoint", NEW),
            ("attribute rows", "ledgers"),
        }
        assert (await one.refused("POST", "/import", FILE, **token))[0] == 412, "not twice"


async def test_refused_where_the_roster_changed_meanwhile(tmp_path: Path) -> None:
    async with quiet(tmp_path) as started, editor(started.url) as one:
        file = b"id,name\nann,Ann Other\n"
        _, shown = await one.ask("POST", "/import/preview", file)
        version = await one.version()
        await one.done("PATCH", "/people/ann", {"agent": False})
        token = shown["token"]
        # with the version of then, and with that of now
        assert (await one.refused("POST", "/import", file, version=version, token=token))[0] == 412
        assert (await one.refused("POST", "/import", file, token=token))[0] == 412
        assert (await one.person("ann"))["name"] == "Ann Agent"


async def test_out_and_in_again(tmp_path: Path) -> None:
    async with quiet(tmp_path) as started, editor(started.url) as one:
        await one.done("PATCH", "/people/ann", {"name": "=1+1", "account_codes": ["+7", "8"]})
        async with one.client.http.get(f"{ROSTER}/export") as answer:
            assert answer.content_type == "text/csv"
            assert "attachment" in answer.headers["Content-Disposition"]
            file = await answer.read()
        assert b"'=1+1" in file and b"'+7|8" in file and b"argon2" not in file
        assert file.startswith("\ufeffid,name,".encode())
        status, shown = await one.ask("POST", "/import/preview", file)
        assert status == 200 and shown["faults"] == []
        assert (shown["new"], shown["changed"], shown["same"]) == (0, 0, 6)


async def test_bad_requests(tmp_path: Path) -> None:
    async with quiet(tmp_path) as started, editor(started.url) as one:
        http = one.client.http
        path = f"{ROSTER}/import/preview"
        async with http.post(path, json={"name": "x"}) as answer:
            assert answer.status == 415
        csv = {"Content-Type": "text/csv"}
        async with http.post(path, data=io.BytesIO(b"x" * ((4 << 20) + 1)), headers=csv) as answer:
            assert answer.status == 413
        async with http.post(path, data=b"name\nA\n", headers=csv, params={"zone": "X"}) as answer:
            assert (answer.status, (await answer.json())["field"]) == (400, "zone")
        elsewhere = {**csv, "Origin": "https://evil.example"}
        async with http.post(path, data=b"name\nA\n", headers=elsewhere) as answer:
            assert answer.status == 403
