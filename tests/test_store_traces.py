"""What SQLite leaves of rows that were changed: copies in the gaps of pages that were rearranged,
which `secure_delete` does not see."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine

from monitord.store.sqlite import sqlite_url
from monitord.store.traces import READ, stands_in, sweep

WORDS = ("zelda-quist", "Zelda Quistmarlowe")


def _filled(path: Path) -> None:
    """Rows that came in any order and grew, as those of a ledger do; then hers are hers no more."""
    chance = random.Random(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA secure_delete=ON")
        db.execute("CREATE TABLE t (id TEXT PRIMARY KEY, who TEXT, name TEXT, more TEXT)")
        db.execute("CREATE INDEX i ON t (who, more)")
        for batch in range(200):
            db.execute("BEGIN")
            for _ in range(100):
                who, name = WORDS if chance.random() < 0.3 else ("ann", "Ann")
                row = (f"{chance.random():.18f}", who, name, "x" * chance.randint(1, 300))
                db.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
            db.execute("COMMIT")
            if batch % 5 == 0:
                grown = "UPDATE t SET more = more || ? WHERE rowid % 7 = ?"
                db.execute(grown, ("y" * 26, batch % 7))
        db.execute("UPDATE t SET who = 'p1', name = 'Erased' WHERE who = ?", WORDS[:1])
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def test_copies_in_gaps_are_found_and_cleared(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite3"
    _filled(path)
    some = [word.encode() for word in WORDS]
    assert stands_in(path, some), "else there is nothing to be cleared"
    engine = create_async_engine(sqlite_url(path))
    assert await sweep(engine, WORDS) == ""
    await engine.dispose()
    assert not stands_in(path, some)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM t").fetchone() == (20_000,)


async def test_readers_are_waited_for(tmp_path: Path) -> None:
    """One that holds on to an old state keeps it in the log; that is said, not passed over."""
    path = tmp_path / "some.sqlite3"
    _filled(path)
    engine = create_async_engine(sqlite_url(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO t VALUES ('new', 'ann', 'Ann', '')")
        assert "readers" in await sweep(engine, WORDS, wait_s=0.2)
        reader.execute("ROLLBACK")
        assert await sweep(engine, WORDS) == ""
    await engine.dispose()


def test_a_word_across_two_pieces_is_found(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for before in (READ - 5, READ - 1, READ, 2 * READ - 3):
        path.write_bytes(b"." * before + b"zelda-quist" + b"." * 10)
        assert stands_in(path, [b"zelda-quist"]) and not stands_in(path, [b"zelda_quist"])
