"""Somebody who did and suffered everything there is, and what may be left of them anywhere."""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from monitord.audit.heads import read_heads
from monitord.audit.keys import open_keys
from monitord.audit.verify import Report, verify
from monitord.domain.ledger import RecordingRecord
from monitord.store.engine import visit_store
from tests.kit.centre import Centre, until
from tests.kit.client import Client
from tests.kit.ledger import asyncio_run
from tests.kit.records import call, part
from tests.kit.roster import Editor, editor, somebody
from tests.kit.stores import PostgresStore, SqliteStore, Store

WHO, NAME, LOGIN = "zelda-quist", "Zelda Quistmarlowe", "zq.sign-in"
EMAIL = "z.quistm@mail.example"
DESK, LINE = "PJSIP/2003", "PJSIP/1003"
NEVER_USED = "PJSIP/zq-home-desk"
HERS = (WHO, NAME, LOGIN, EMAIL, NEVER_USED, "zq-account-code")
"""Texts that only she has: none may be left anywhere."""

TOLD = '[told]\nwhen = "start and end"\nwho = true\n[reason]\nask = "asked"\n'

NUMBER = "+49 (30) 555-8642971"
DIGITS = "49305558642971"


def people() -> str:
    her = somebody(WHO, NAME, "supervisor", scope="all", team="north").replace(
        f'login = "{WHO}"', f'login = "{LOGIN}"'
    )
    her += (
        f'endpoints = ["{DESK}", "{LINE}", "{NEVER_USED}"]\n'
        'agent = true\naccount_codes = ["zq-account-code"]\n'
    )
    return "".join(
        [
            her,
            somebody("max", "Max Minder", "administrator"),
            somebody("ada", "Ada Auditor", "auditor"),
            somebody("ina", "Ina Viewer", "QA manager"),
            somebody("sue", "Sue Supervisor", "supervisor", scope="all", leader=WHO)
            + 'endpoints = ["PJSIP/2001"]\n',
            '[[people]]\nid = "ann"\nname = "Ann Agent"\n'
            'endpoints = ["PJSIP/1001"]\nagent = true\n',
        ]
    )


async def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    given = {} if body is None else {"json": body}
    async with client.http.request(method, f"/api/v1{path}", **given) as response:
        if response.status == 204:
            return 204, None
        return response.status, await response.json()


async def live_through_it(here: Centre) -> None:
    """A day in which she did and suffered everything."""
    async with Client(here.daemon.url) as her, editor(here.daemon.url) as max_:
        assert await her.sign_in(LOGIN) == 200
        assert await Client.sign_in(her, LOGIN, "not her password") == 401
        assert await her.sign_in(LOGIN) == 200
        await here.advance(120)
        for client, filters in ((her, {"agent": "ann"}), (here.ina, {"supervisor": WHO})):
            view = {"page": "history", "name": "a view", "filters": filters, "shared": True}
            chosen = {"coach-manager": "all"}
            status, said = await ask(client, "PUT", "/views", {"views": [view], "chosen": chosen})
            assert status == 200, said
        token = {"name": "a program", "permissions": ["history.see"]}
        assert (await ask(her, "POST", "/tokens", token))[0] == 201
        assert (await ask(max_.client, "POST", f"/people/{WHO}/link", {}))[0] == 201
        for client in (her, here.ina):
            async with client.http.get(
                f"/api/v1/supervisions/export?format=json&supervisor={WHO}"
            ) as response:
                assert response.status == 200
                await response.read()
        await until(lambda: here.running(), "something runs")
        ended = await here.meanwhile(her.disconnect(here.running()[0]))
        assert ended[0] == 200, ended
        await here.advance(60)
        await here.daemon.recorder.settled()
        alerts = (await her.get("/api/v1/alerts", open="true"))["rows"]
        assert alerts, "supervisors who are not on the roster raise some"
        assert (await ask(her, "POST", f"/alerts/{alerts[0]['id']}/acknowledge", {}))[0] == 200
        await max_.done("PATCH", f"/people/{WHO}", {"email": EMAIL})
        hold = {"kind": "person", "value": WHO, "reason": "a suit"}
        status, made = await ask(max_.client, "POST", "/privacy/holds", hold)
        assert status == 201, made
        assert (await ask(max_.client, "POST", f"/privacy/holds/{made['id']}/lift", {}))[0] == 200
        listed = {"person": WHO, "reason": "works council"}
        assert (await ask(max_.client, "POST", "/never-monitor", listed))[0] == 201
        await give_reason(here, her)
        # Listened to by one without a right: an alert that names her twice.
        await max_.done("PUT", f"/people/{WHO}/roles", {"roles": [{"role": "agent"}]})
        await here.advance(120)
        await be_flagged(here, her, max_.client)
        await be_recorded(here)
        again = [{"role": "supervisor", "scope": "all"}]
        await max_.done("PUT", f"/people/{WHO}/roles", {"roles": again})
        flag = await flagged(here, her, "ann", "Wait for the answer.")
        why = {"why": f"{NAME} was wrong"}
        assert (await ask(her, "POST", f"/flags/{flag}/take-off", why))[0] == 200
        mine = {"agent_id": WHO, "agent_name": NAME, "agent_endpoint": LINE}
        here.daemon.recorder.take([part(call(1), **mine)])
        await here.daemon.recorder.settled()


async def flagged(here: Centre, client: Client, agent: str, wanted: str) -> str:
    """Id of a flag on one of the agent's calls."""
    async with asyncio.timeout(60):
        while not (rows := (await here.ina.get("/api/v1/calls", agent=agent))["rows"]):
            await here.advance(30)
    on = rows[0]["id"]
    flag = {"id": secrets.token_hex(10), "call": on, "polarity": "bad", "wanted": wanted}
    flag["comment"] = "As it was said there." if agent != WHO else f"{NAME} said so"
    status, said = await ask(client, "POST", "/flags", flag)
    assert status == 201, said
    return str(said["id"])


async def be_flagged(here: Centre, her: Client, max_: Client) -> None:
    """On a call of hers, changed, and answered by herself."""
    shown = {"visible": True, "themes": []}
    assert (await ask(max_, "PUT", "/flags/settings", shown))[0] == 200
    flag = await flagged(here, here.ina, WHO, f"{NAME} asks first")
    changed = {"comment": f"{NAME} said so twice"}
    assert (await ask(here.ina, "PATCH", f"/flags/{flag}", changed))[0] == 200
    answer = {"kind": "context", "text": f"I am {NAME}"}
    assert (await ask(her, "POST", f"/flags/{flag}/answer", answer))[0] == 200
    on = (await here.ina.get(f"/api/v1/flags/{flag}"))["flag"]["call"]
    assert (await ask(here.ina, "POST", "/scores", {"call": on, "score": 4}))[0] == 201
    await be_talked_to(here.ina, flag)


async def be_talked_to(ina: Client, flag: str) -> None:
    """About that flag, with what was agreed, which was settled then."""
    chosen = {"pattern": "just-in-time"}
    assert (await ask(ina, "PUT", f"/agents/{WHO}/review-pattern", chosen))[0] == 200
    body = chosen | {"id": secrets.token_hex(10), "agent": WHO, "flags": [flag]}
    status, talk = await ask(ina, "POST", "/reviews", body)
    assert status == 201, talk
    agreed = {"text": f"{NAME} waits for the answer", "focus": {"result": "REFUND"}}
    end = f"/reviews/{talk['id']}/end"
    status, talk = await ask(ina, "POST", end, {"commitments": [agreed]})
    assert status == 200, talk
    settle = f"/commitments/{talk['agreed'][0]['id']}/settle"
    kept = {"state": "kept", "why": f"{NAME} did"}
    assert (await ask(ina, "POST", settle, kept))[0] == 200


async def be_recorded(here: Centre) -> None:
    """On a call of hers that is over, so that no other agent can get it any more."""
    async with asyncio.timeout(60):
        while True:
            rows = (await here.ina.get("/api/v1/calls", agent=WHO))["rows"]
            if over := [row for row in rows if row["ended"] is not None]:
                break
            await here.advance(30)
    kept = RecordingRecord(
        id=secrets.token_hex(10),
        pbx=over[0]["pbx"],
        call=over[0]["id"],
        channel="1.1",
        started=over[0]["started"],
        file=f"{NAME}.wav",
    )
    here.daemon.recorder.take([kept])


async def give_reason(here: Centre, her: Client) -> None:
    """Of a supervision of hers that has ended."""

    def ended() -> list[dict[str, Any]]:
        return here.store.read(
            f"SELECT id FROM supervision WHERE supervisor_id = '{WHO}' AND ended IS NOT NULL"
        )

    async with asyncio.timeout(60):
        while not ended():
            await here.advance(30)
            await here.daemon.recorder.settled()
    path = f"/supervisions/{ended()[0]['id']}/reason"
    status, said = await ask(her, "POST", path, {"text": f"{NAME} wanted to know"})
    assert status == 200, said


async def leave(max_: Editor, here: Centre) -> None:
    await max_.done("PATCH", f"/people/{WHO}", {"active": False})
    await here.caught_up()
    await here.daemon.recorder.settled()


def places(store: Store, tmp: Path) -> dict[str, bytes]:
    """All files of the database, and a backup that is taken now."""
    if isinstance(store, SqliteStore):
        copy = tmp / "backup.sqlite3"
        copy.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(store.path)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        files = [copy, *store.path.parent.glob(f"{store.path.name}*")]
        return {file.name: file.read_bytes() for file in files if file.is_file()}
    assert isinstance(store, PostgresStore)
    server = store.server
    dump = subprocess.run(
        [
            *(*server._command("pg_dump"), "--host", str(server.folder), "--port"),
            *(str(server.port), "--username", "admin", store.name),
        ],
        capture_output=True,
        check=True,
        cwd="/",
    )
    return {"dump": dump.stdout}


def found_in(places: dict[str, bytes], words: Iterable[str]) -> list[tuple[str, str, bytes]]:
    return [
        (name, word, content[max(0, at - 60) : at + 60])
        for name, content in places.items()
        for word in words
        if (at := content.lower().find(word.lower().encode())) >= 0
    ]


def proved(store: Store) -> Report:
    async def prove() -> Report:
        engine = await visit_store(store.url)
        keys = open_keys(store.keys, make=False)
        try:
            return await verify(engine, keys, read_heads(store.keys.with_name("heads.jsonl")))
        finally:
            keys.close()
            await engine.dispose()

    return asyncio_run(prove())


def only_digits(number: str) -> str:
    return re.sub(r"\D", "", number)
