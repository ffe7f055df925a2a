"""The audit log on either database: written by many at once, taken over from before, kept from
being changed, with its heads in other hands."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import accumulate
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.assembly.errors import StartError
from monitord.audit.adoption import begin
from monitord.audit.chain import Head
from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.audit.heads import HEADS_FILE, Heads, read_heads, signed_by, to_file
from monitord.audit.keys import Keys, KeysError, open_keys
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.reader import Reader
from monitord.audit.reading import Wanted
from monitord.audit.sinks import syslog_address, to_syslog, to_webhook
from monitord.audit.starts import UNKNOWN, started
from monitord.audit.verify import verify
from monitord.store import tables
from monitord.store.engine import open_store
from monitord.store.turns import in_turn
from tests.kit.centre import centre
from tests.kit.daemon import Site, daemon, password_hash
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.stores import SqliteStore, Store

ANN = Actor("ann", "Ann Agent")


@asynccontextmanager
async def opened(store: Store, folder: Path) -> AsyncIterator[tuple[AsyncEngine, AuditLog]]:
    store.keys = folder / "keys" / "audit.sqlite3"
    store.keys.parent.mkdir(exist_ok=True)
    engine = await open_store(store.url)
    keys = open_keys(store.keys, make=not store.keys.exists())
    try:
        yield engine, AuditLog(engine, keys)
    finally:
        keys.close()
        await engine.dispose()


async def test_many_write_at_once_and_it_stays_one_chain(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        some = [
            Entry(
                action="export",
                actor=Actor(f"p{n % 7}", f"Person {n % 7}"),
                plain={"n": n},
                personal=(Of({"number": f"+1 {n % 5}"}, number=f"+1 {n % 5}"),),
            )
            for n in range(60)
        ]
        numbers = await asyncio.gather(*(audit.write(entry) for entry in some))
        assert sorted(numbers) == list(range(2, 62))
        assert (await verify(engine, audit.keys)).fault is None
        rows = read_audit(store)
        assert sorted(row["detail"]["n"] for row in rows) == list(range(60))
        assert {(r["actor_id"], r["actor_name"]) for r in rows} == {
            (f"p{n}", f"Person {n}") for n in range(7)
        }
        assert all(r["detail"]["number"] == f"+1 {r['detail']['n'] % 5}" for r in rows)


async def test_the_database_refuses_to_change_or_remove(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        await audit.write(Entry(action="sign in", actor=ANN))
        told = "never changed or removed|permission denied"
        statements = ["UPDATE audit SET at = 0", "DELETE FROM audit"]
        if store.kind == "postgresql":
            statements.append("TRUNCATE audit")
        for statement in statements:
            with pytest.raises(DBAPIError, match=told):
                async with engine.begin() as connection:
                    await connection.execute(text(statement))
        if store.kind == "postgresql":
            # Even a role that takes the right back is stopped by the table.
            async with engine.begin() as connection:
                await connection.execute(text("GRANT UPDATE, DELETE, TRUNCATE ON audit TO PUBLIC"))
            for statement in statements:
                with pytest.raises(DBAPIError, match="never changed or removed"):
                    async with engine.begin() as connection:
                        await connection.execute(text(statement))
        assert (await verify(engine, audit.keys)).fault is None


async def test_a_time_is_shown_whole_whatever_the_clock_did(store: Store, tmp_path: Path) -> None:
    """Rows of a time are found by bounds of their numbers, also where the clock was set back."""
    chance = random.Random(8)
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        at, actions = 1_000_000, ["sign in", "sign out", "view history", "export"]
        for _ in range(40):
            at += chance.choice([1, 5, 900, 900, -30, -2_500])
            some = [Entry(action=chance.choice(actions), plain={}, at=at + n) for n in range(3)]
            async with in_turn(engine) as connection:
                await audit.append(connection, some)
        rows = store.read("SELECT n, at, action FROM audit WHERE n > 1 ORDER BY n DESC")
        latest = list(accumulate((r["at"] for r in reversed(rows)), max))
        back = max(m - r["at"] for m, r in zip(latest, reversed(rows), strict=True))
        began = store.read("SELECT at FROM audit WHERE n = 1")[0]["at"]
        (kept,) = store.read("SELECT back FROM audit_clock")
        assert kept["back"] == began - min(r["at"] for r in rows) > back > 2_500
        reader = Reader(engine, audit.keys)
        for _ in range(60):
            begin_, end = sorted(chance.sample(range(990_000, at + 2_000), 2))
            of = chance.choice([None, ["sign in", "export"], ["sign out"], actions])
            wanted = Wanted(
                begin=chance.choice([None, begin_]), end=chance.choice([None, end]), actions=of
            )
            expected = [
                r["n"]
                for r in rows
                if (wanted.begin is None or r["at"] >= wanted.begin)
                and (wanted.end is None or r["at"] < wanted.end)
                and (of is None or r["action"] in of)
            ]
            found: list[int] = []
            more: int | None = None
            while len(found) < 200:
                page, more = await reader.page(
                    msgspec.structs.replace(wanted, before=more), 7, None
                )
                found += [shown.one.row.n for shown in page if shown.one.row.n > 1]
                if more is None:
                    break
            assert found == expected
            batches = [row.n async for some in reader.batches(wanted, 9) for _, row in some]
            assert [n for n in batches if n > 1] == expected[::-1]
        assert (await verify(engine, audit.keys)).fault is None
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE audit_clock SET back = 3"))
        fault = (await verify(engine, audit.keys)).fault
        assert fault is not None and "audit_clock" in fault.what


async def test_what_cannot_be_sealed_is_not_done(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        audit.keys.close()
        with pytest.raises(AuditError, match="keys"):
            await audit.write(Entry(action="sign in", actor=ANN))
        assert store.read("SELECT max(n) AS n FROM audit") == [{"n": 1}]


OLD = [
    ("sue", "Sue Supervisor", "sign in", "sue", {"address": "192.0.2.7", "how": "password"}, None),
    ("sue", "Sue Supervisor", "disconnect", "s-1",
     {"pbx": "lab", "channel": "1.2", "supervisor": "PJSIP/2002",
      "agent": {"id": "ann", "name": "Ann Agent", "endpoint": "PJSIP/1001"}, "type": "Coach"},
     None),
    ("sue", "Sue Supervisor", "disconnect outcome", "s-1",
     {"outcome": "confirmed", "why": ""}, 2),
    ("max", "Max Auditor", "export", "calls",
     {"filters": {"agent": "ann", "number": "5551234", "campaign": "spring"}, "rows": 3}, None),
    ("adm", "Ada", "change person", "ann", {"changed": {"name": ["A. Agent", "Ann Agent"]}}, None),
]  # fmt: skip


async def test_rows_from_before_are_taken_into_the_chain(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        async with engine.begin() as connection:
            for n, (actor, name, action, target, detail, about) in enumerate(OLD, 1):
                row = {"actor_id": actor, "actor_name": name, "action": action, "target": target}
                more = {"at": 1000 + n, "detail": json.dumps(detail), "about": about, "n": n}
                await connection.execute(insert(tables.audit_before).values(row | more))
        for _ in range(2):  # once only
            await begin(engine, audit)
        assert (await verify(engine, audit.keys)).fault is None
        rows = read_audit(store)
        told = [(r["actor_id"], r["actor_name"], r["action"], r["target"]) for r in rows]
        assert told == [row[:4] for row in OLD]
        assert [r["at"] for r in rows] == [1001, 1002, 1003, 1004, 1005]
        assert rows[2]["about"] == rows[1]["n"]
        for row, (*_, detail, _about) in zip(rows, OLD, strict=True):
            assert row["detail"].pop("taken_over")
            assert row["detail"] == detail
        assert store.read("SELECT * FROM audit_before") == []
        raw = json.dumps(store.read("SELECT * FROM audit"))
        # Short ones only as a whole value: sealed text has letters too.
        for word in ("Sue Sup", "Ann Ag", '"sue', '"ann', "5551234", "192.0.2.7", "PJSIP/"):
            assert word not in raw, word
        assert "spring" in raw  # no person's


async def test_what_was_not_settled_is_said_to_be_unknown(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        done = await audit.write(Entry(action="disconnect", actor=ANN, target="s-1"))
        await audit.write(Entry(action="disconnect outcome", actor=ANN, target="s-1", about=done))
        lost = await audit.write(Entry(action="disconnect", actor=ANN, target="s-2"))
        for _ in range(2):
            await started(engine, audit, "1.0", {"server": {"port": 1}})
        (row,) = (r for r in read_audit(store) if r["detail"].get("outcome") == "unknown")
        assert (row["about"], row["target"], row["detail"]["why"]) == (lost, "s-2", UNKNOWN)


async def test_a_change_of_settings_is_told(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        for settings in (
            {"server": {"port": 1}, "policy": {"unauthorised": "alert"}},
            {"server": {"port": 1}, "policy": {"unauthorised": "alert"}},
            {"server": {"port": 2}, "policy": {"drop_customer": True}},
        ):
            await started(engine, audit, "1.0", settings)
        rows = [r for r in read_audit(store, whole=True) if r["action"] == "change settings"]
        assert [r["detail"] for r in rows] == [
            {
                "server.port": [1, 2],
                "policy.unauthorised": ["alert", None],
                "policy.drop_customer": [None, True],
            }
        ]


# --- keys ------------------------------------------------------------------------------------


async def test_a_daemon_does_not_start_without_the_right_keys(tmp_path: Path) -> None:
    site = Site(ami_port=1, secret="x", store=SqliteStore.in_folder(tmp_path / "data"))
    keys = tmp_path / "data" / "keys" / "audit.sqlite3"
    async with daemon(site, tmp_path):
        pass
    kept = keys.read_bytes()
    keys.unlink()
    with pytest.raises(StartError, match="put them back from their backup"):
        async with daemon(site, tmp_path):
            pass
    assert not keys.exists()
    open_keys(keys, make=True).close()
    with pytest.raises(StartError, match="are not those of this audit log"):
        async with daemon(site, tmp_path):
            pass
    keys.write_bytes(b"no database at all, but long enough to look like one" * 30)
    with pytest.raises(StartError, match="cannot be used"):
        async with daemon(site, tmp_path):
            pass
    keys.write_bytes(kept)
    async with daemon(site, tmp_path):
        pass


async def test_who_was_erased_cannot_be_read_and_the_chain_holds(
    store: Store, tmp_path: Path
) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        keys = audit.keys
        await audit.write(
            Entry(
                action="disconnect",
                actor=Actor("sue", "Sue Supervisor"),
                plain={"pbx": "lab"},
                personal=(
                    of_person("ann", agent="Ann Agent"),
                    Of({"number": "5-55"}, number="555"),
                ),
            )
        )
        ann, number = keys.pseudonym_of("ann"), keys.number("555")
        assert ann is not None
        await keys.destroy([ann])
        (row,) = read_audit(store)
        assert row["detail"] == {"pbx": "lab", "number": "5-55"}
        assert row["erased"] == (ann,) and row["actor_name"] == "Sue Supervisor"
        await keys.destroy([number])
        (row,) = read_audit(store)
        assert row["detail"] == {"pbx": "lab"}
        assert (await verify(engine, keys)).fault is None
        # Neither comes back by being written again: it is somebody new, or another key.
        await audit.write(Entry(action="sign in", actor=Actor("ann", "Ann")))
        await audit.write(Entry(action="x", personal=(Of({"number": "555"}, number="555"),)))
        assert keys.pseudonym_of("ann") != ann
        assert read_audit(store)[0]["detail"] == {"pbx": "lab"}
        assert set(await keys.erased()) == {ann, number}
        assert b"Ann Agent" not in store.keys.read_bytes()


def test_a_number_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys", make=True)
    assert keys.number("+49 (30) 555-12") == keys.number("493055512") != keys.number("493055513")
    assert keys.number("anonymous") == keys.number(" Anonymous") != keys.number("")
    other = open_keys(tmp_path / "others", make=True)
    assert other.number("493055512") != keys.number("493055512")
    for one in (keys, other):
        one.close()


def test_keys_that_are_none_are_not_made(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="put them back"):
        open_keys(tmp_path / "keys", make=False)
    assert list(tmp_path.iterdir()) == []


# --- heads -----------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    made = open_keys(tmp_path / "keys.sqlite3", make=True)
    yield made
    made.close()


async def test_heads_go_to_every_place_and_are_made_up_for(store: Store, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as (engine, audit):
        await begin(engine, audit)
        far, near = tmp_path / "far" / "heads.jsonl", tmp_path / "heads.jsonl"
        heads = Heads(engine, audit.keys, [("near", to_file(near)), ("far", to_file(far))], 60)
        await heads.give()
        assert [h.n for h in read_heads(near)] == [1] and not far.exists()
        far.parent.mkdir()
        await heads.give()
        await heads.give()
        assert [h.n for h in read_heads(near)] == [h.n for h in read_heads(far)] == [1]
        await audit.write(Entry(action="sign in", actor=ANN))
        near.write_bytes(near.read_bytes() + b'{"n": 2, "ha')  # a crash in the middle of a line
        assert [h.n for h in read_heads(near)] == [1]
        await heads.give()
        assert [h.n for h in read_heads(near)] == [h.n for h in read_heads(far)] == [1, 2]
        assert all(signed_by(audit.keys.public, h) for h in read_heads(far))
        assert (await verify(engine, audit.keys, read_heads(far))).heads == 2


async def test_a_daemon_leaves_a_head_at_its_stop(tmp_path: Path) -> None:
    extra = '[audit]\nfiles = ["elsewhere.jsonl"]\n'
    site = Site(*(1, "x"), store=SqliteStore.in_folder(tmp_path / "data"), extra=extra)
    async with daemon(site, tmp_path):
        pass
    (*_, last) = read_heads(tmp_path / "elsewhere.jsonl")
    (*_, row) = read_audit(tmp_path / "data" / "monitord.sqlite3", whole=True)
    assert last.n == row["n"]
    assert (tmp_path / "data" / "keys" / HEADS_FILE).exists()


HEAD = Head(7, "ab" * 32, 1_700_000_000_123, "k", "sig")
LINE = msgspec.json.encode(HEAD)


async def test_to_a_webhook() -> None:
    got: list[bytes] = []
    answers = iter([200, 500, 302])

    async def take(request: web.Request) -> web.Response:
        got.append(await request.read())
        status = next(answers)
        return web.Response(status=status, headers={"Location": "/other"} if status == 302 else {})

    application = web.Application()
    application.router.add_post("/heads", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        sink = to_webhook(f"http://127.0.0.1:{port}/heads")
        await sink(HEAD, LINE)
        for status in (500, 302):
            with pytest.raises(OSError, match=str(status)):
                await sink(HEAD, LINE)
        assert got == [LINE] * 3
    finally:
        await runner.cleanup()
    with pytest.raises(OSError, match=r"refused|connect"):
        await sink(HEAD, LINE)


@contextmanager
def listening(kind: socket.SocketKind, family: int = socket.AF_INET) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as here:
        here.settimeout(10)
        if family == socket.AF_INET:
            here.bind(("127.0.0.1", 0))
        yield here


EXPECTED = rb"<109>1 2023-11-14T22:13:20.123Z \S+ monitord - head - "


async def test_to_syslog(tmp_path: Path) -> None:
    with listening(socket.SOCK_DGRAM) as there:
        await to_syslog(syslog_address(f"udp://127.0.0.1:{there.getsockname()[1]}"))(HEAD, LINE)
        assert re.fullmatch(EXPECTED + re.escape(LINE), there.recv(4096))
    with listening(socket.SOCK_DGRAM, socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "log"))
        await to_syslog(syslog_address(f"unix://{tmp_path}/log"))(HEAD, LINE)
        assert re.fullmatch(EXPECTED + re.escape(LINE), there.recv(4096))
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await got.put(await reader.read())
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await to_syslog(syslog_address(f"tcp://127.0.0.1:{port}"))(HEAD, LINE)
        said = await got.get()
    size, _, message = said.partition(b" ")
    assert int(size) == len(message) and re.fullmatch(EXPECTED + re.escape(LINE), message)
    with pytest.raises(OSError):
        await to_syslog(("tcp", "127.0.0.1", port))(HEAD, LINE)


@pytest.mark.parametrize(
    "address",
    ["", "host:514", "udp://host", "tcp://:1", "udp://host:99999", "http://host:1", "unix://a/b"],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        syslog_address(address)


# --- nobody hides ----------------------------------------------------------------------------


async def test_who_administers_the_system_supervises_like_anybody(
    store: Store, tmp_path: Path
) -> None:
    people = (
        Site(1, "")
        .people.replace('role = "supervisor"', 'role = "administrator"')
        .replace('id = "tom"', 'id = "tom"\nlogin = "tom"')
    )
    people = people.replace('login = "tom"', f'login = "tom"\npassword_hash = "{password_hash()}"')
    async with centre(tmp_path, store=store, people=people, supervisions=4) as here:
        await here.advance(120)
        await here.daemon.recorder.settled()
        rows = read_ledger(store)["supervisions"]
        seen = {r["supervisor_id"] for r in rows}
        assert seen & {"sue", "tom"}
        log = [r for r in read_audit(store, whole=True) if r["action"] == "observe supervision"]
        assert {r["actor_id"] for r in log} == seen
        # And an alert, since listening is none of an administrator's rights.
        alerts = [r for r in read_audit(store, whole=True) if r["action"] == "observe alert"]
        assert seen & {"sue", "tom"} <= {r["detail"]["row"]["supervisor_id"] for r in alerts}
