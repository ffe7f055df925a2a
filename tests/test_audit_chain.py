"""The audit log as a chain: whoever changes one row of it, or of the ledger that it observed, is
found."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitord.audit.chain import BEFORE_FIRST, Head, Row, hash_of
from monitord.audit.heads import read_heads, sign
from monitord.audit.keys import open_keys
from monitord.audit.reading import row_from
from monitord.audit.verify import Report, verify
from monitord.store.engine import visit_store
from monitord.store.sqlite import sqlite_url
from tests.kit.centre import centre, until
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore

TEXT_COLUMNS = ("action", "actor", "subject", "number", "target", "body", "hash")
SEEDS = st.integers(0, 10**9)
LEDGER = ("supervision", "segment", "gap", "alert")


class Kept:
    """What a day left behind. No dataclass: hypothesis would print all of its rows."""

    def __init__(self, folder: Path, rows: list[Row]) -> None:
        self.folder = folder
        self.rows = rows

    def heads(self) -> list[Head]:
        return list(read_heads(self.folder / "keys" / "heads.jsonl"))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A daemon's log of some hundred rows of all kinds that such a day has."""
    folder = tmp_path_factory.mktemp("day")

    async def live() -> None:
        async with centre(folder, supervisions=6, speed=0) as here:
            await here.advance(200)
            async with here.ina.http.get("/api/v1/supervisions/export?format=csv") as response:
                assert response.status == 200
                await response.read()
            (supervision, *_) = here.running()
            outcome = await here.meanwhile(here.sue.disconnect(supervision))
            assert outcome is not None
            here.sim.faults.cut()
            await until(lambda: not here.daemon.hub.live_pbxs(), "the outage was seen")
            await here.sim.advance(60)
            await until(here.daemon.hub.live_pbxs, "attached again")
            await here.caught_up()
            await here.daemon.recorder.settled()

    asyncio.run(live())
    data = folder / "data"
    rows = _rows(data)
    assert {r.action for r in rows} >= {
        *("begin log", "start", "sign in", "export", "export outcome", "disconnect"),
        *("disconnect outcome", "observe supervision", "observe segment", "observe gap"),
        "observe alert",
    }
    return Kept(data, rows)


def _rows(folder: Path) -> list[Row]:
    store = SqliteStore(folder / "monitord.sqlite3")
    return [row_from(r) for r in store.read("SELECT * FROM audit ORDER BY n")]


def proved(folder: Path, *, heads: list[Head] | None = None) -> Report:
    async def prove() -> Report:
        engine = await visit_store(sqlite_url(folder / "monitord.sqlite3"))
        keys = open_keys(folder / "keys" / "audit.sqlite3", make=False)
        try:
            known = heads if heads is not None else read_heads(folder / "keys" / "heads.jsonl")
            return await verify(engine, keys, known, again_s=())
        finally:
            keys.close()
            await engine.dispose()

    return asyncio.run(prove())


def tampered(day: Kept, tmp: Path, work: Callable[[sqlite3.Connection], Any]) -> Path:
    """A copy in which somebody with the file in their hands did something."""
    copy = tmp / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(day.folder, copy)
    with closing(sqlite3.connect(copy / "monitord.sqlite3")) as db, db:
        for name in ("update", "delete"):
            db.execute(f"DROP TRIGGER audit_no_{name}")
        work(db)
    return copy


def test_what_nobody_touched_is_whole(day: Kept) -> None:
    report = proved(day.folder)
    assert report.fault is None
    assert report.rows == len(day.rows) and report.head == day.rows[-1].hash
    assert report.heads >= 1
    store = SqliteStore(day.folder / "monitord.sqlite3")
    count = sum(store.read(f'SELECT count(*) AS n FROM "{t}"')[0]["n"] for t in LEDGER)
    assert report.ledger == count > 20


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=SEEDS)
def test_any_row_that_was_changed_is_named(day: Kept, tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    # Of each kind of row alike, however often it stands there.
    action = choose.choice(sorted({r.action for r in day.rows}))
    row = choose.choice([r for r in day.rows if r.action == action])
    column = choose.choice(["at", "about", *TEXT_COLUMNS])
    old = getattr(row, column)
    if column in ("at", "about"):
        new: Any = (old or 0) + choose.randint(1, 10**9)
    elif old and choose.random() < 0.8:
        at = choose.randrange(len(old))
        new = old[:at] + chr(ord(old[at]) ^ 1) + old[at + 1 :]
    else:
        new = "x" + (old or "")

    def change(db: sqlite3.Connection) -> None:
        db.execute(f"UPDATE audit SET {column} = ? WHERE n = ?", (new, row.n))

    fault = proved(tampered(day, tmp_path, change)).fault
    assert fault is not None and fault.n == row.n


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=SEEDS)
def test_their_order_and_number_are_fixed(day: Kept, tmp_path: Path, seed: int) -> None:
    last = len(day.rows)
    choose = random.Random(seed)
    n = choose.randint(1, last - 1)
    what = choose.choice(["remove", "swap", "insert", "cut"])

    def change(db: sqlite3.Connection) -> None:
        if what == "remove":
            db.execute("DELETE FROM audit WHERE n = ?", (n,))
            if choose.random() < 0.5:  # and the others moved up
                for later in range(n + 1, last + 1):
                    db.execute("UPDATE audit SET n = n - 1 WHERE n = ?", (later,))
        elif what == "swap":
            db.execute("UPDATE audit SET n = -1 WHERE n = ?", (n,))
            db.execute("UPDATE audit SET n = ? WHERE n = ?", (n, n + 1))
            db.execute("UPDATE audit SET n = ? WHERE n = -1", (n + 1,))
        elif what == "insert":
            for later in range(last, n, -1):
                db.execute("UPDATE audit SET n = n + 1 WHERE n = ?", (later,))
            db.execute("INSERT INTO audit SELECT n + 1, at, action, actor, subject, number, "
                       "target, about, body, hash FROM audit WHERE n = ?", (n,))  # fmt: skip
        else:
            db.execute("DELETE FROM audit WHERE n > ?", (n,))

    fault = proved(tampered(day, tmp_path, change)).fault
    assert fault is not None
    assert fault.n == (n + 1 if what in ("insert", "cut") else n)


def rechained(rows: list[Row]) -> list[Row]:
    """Somebody who knows how a hash is made, makes them all anew."""
    before, made = BEFORE_FIRST, []
    for row in rows:
        made.append(msgspec.structs.replace(row, hash=hash_of(before, row)))
        before = made[-1].hash
    return made


def test_a_chain_made_anew_is_found_by_heads_kept_elsewhere(day: Kept, tmp_path: Path) -> None:
    forged = [
        msgspec.structs.replace(r, action="sign out") if r.action == "disconnect" else r
        for r in day.rows
    ]

    def change(db: sqlite3.Connection) -> None:
        for row in rechained(forged):
            values = (row.action, row.hash, row.n)
            db.execute("UPDATE audit SET action = ?, hash = ? WHERE n = ?", values)

    copy = tampered(day, tmp_path, change)
    assert proved(copy, heads=[]).fault is None  # nothing else could tell
    fault = proved(copy).fault
    assert fault is not None and "another hash" in fault.what

    # And a head that somebody else signed is none.
    other = open_keys(tmp_path / "other.sqlite3", make=True)
    false = sign(other, day.rows[-1].n, rechained(forged)[-1].hash)
    other.close()
    fault = proved(copy, heads=[msgspec.structs.replace(false, keys=day.heads()[0].keys)]).fault
    assert fault is not None and "signature" in fault.what


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=SEEDS)
def test_a_row_of_the_ledger_that_was_changed_is_found(
    day: Kept, tmp_path: Path, seed: int
) -> None:
    choose = random.Random(seed)
    table = choose.choice(LEDGER)
    what = choose.choice(["change", "remove", "invent"])

    def change(db: sqlite3.Connection) -> None:
        db.row_factory = sqlite3.Row
        row = dict(choose.choice(db.execute(f'SELECT * FROM "{table}" ORDER BY id').fetchall()))
        if what == "remove":
            db.execute(f'DELETE FROM "{table}" WHERE id = ?', (row["id"],))
            return
        if what == "invent":
            row["id"] += "x"
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            db.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values()))
            return
        # Of a kind that the column may hold, as somebody would who wants it to stay unseen.
        name = choose.choice(
            [k for k, v in row.items() if isinstance(v, int) and k not in FLAGS]
            + [k for k in row if k.endswith(("_id", "_name", "_endpoint")) and row[k]]
        )
        new = row[name] + 1000 if isinstance(row[name], int) else row[name] + "x"
        db.execute(f'UPDATE "{table}" SET "{name}" = ? WHERE id = ?', (new, row["id"]))

    fault = proved(tampered(day, tmp_path, change)).fault
    assert fault is not None and fault.what.startswith(table)


FLAGS = ("at_least", "started_exact", "ended_exact", "certain")


def test_the_database_itself_refuses(day: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(day.folder, copy)
    with closing(sqlite3.connect(copy / "monitord.sqlite3")) as db:
        for statement in ("UPDATE audit SET at = 0", "DELETE FROM audit WHERE n = 3"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
                db.execute(statement)
    assert proved(copy).fault is None


def test_nobody_stands_in_the_log_by_name(day: Kept) -> None:
    """What is somebody's own is sealed: the file knows no name and no number in these rows."""
    text = "\n".join(msgspec.json.encode(row).decode() for row in day.rows)
    people = {"Ina Viewer", "Sue Supervisor", "Tom Trainer", '"ina"', '"sue"', "PJSIP/"}
    store = SqliteStore(day.folder / "monitord.sqlite3")
    numbers = {r["number"] for r in store.read("SELECT number FROM segment") if r["number"]}
    assert numbers
    assert not [one for one in people | numbers if one in text]
    opened = read_audit(store, whole=True)
    assert {"ina", "sue"} <= {r["actor_id"] for r in opened}
