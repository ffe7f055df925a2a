"""What a power cut, a bad disk or a careless copy leave of an SQLite database: used as far as it is
whole, or refused in plain words; never a history that is silently empty."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitord.assembly.errors import StartError
from monitord.audit.heads import HEADS_FILE, last_head
from monitord.simulator import Settings, Simulator, User
from tests.faults.killing import attached
from tests.kit.centre import SECRET
from tests.kit.daemon import Site, daemon
from tests.kit.faults import Told
from tests.kit.ledger import read_ledger
from tests.kit.proof import proved
from tests.kit.stores import SqliteStore
from tests.test_cli import start


@asynccontextmanager
async def working(folder: Path, seed: int) -> AsyncIterator[tuple[Site, int]]:
    """A daemon in a process of its own under load, on a database in `folder/data`; its pid."""
    settings = Settings(User(secret=SECRET), port=0, speed=8, seed=seed, agents=60, supervisors=12)
    async with Simulator(settings) as sim:
        store = SqliteStore.in_folder(folder / "data")
        site = Site(ami_port=sim.port, secret=SECRET, store=store)
        process = await start(folder, "run", "--config", str(site.write(folder)))
        try:
            await attached(process)
            yield site, process.pid
        finally:
            process.kill()
            await process.communicate()


async def copied(pid: int, source: Path, to: Path) -> SqliteStore:
    """The files as they are at one moment: the daemon stands still meanwhile, wherever it is."""
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(shutil.copytree, source, to)
    finally:
        os.kill(pid, signal.SIGCONT)
    return SqliteStore.in_folder(to)


def sound(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def copies(folder: Path, seed: int, count: int) -> int:
    """Gives the rows of the last one."""
    choose = random.Random(seed)
    rows = 0
    async with working(folder, seed) as (_, pid):
        for n in range(count):
            await asyncio.sleep(choose.random() * 0.4)
            store = await copied(pid, folder / "data", folder / f"copy{n}")
            sound(store)
            ledger = read_ledger(store)
            now = sum(map(len, ledger.values()))
            assert now >= rows, "what was there is there"
            rows = now
            report = await proved(store)
            assert report.fault is None, report.fault
            shutil.rmtree(store.path.parent)
    return rows


@pytest.mark.fault("power loss")
async def test_copies_at_any_moment(tmp_path: Path) -> None:
    assert await copies(tmp_path, 1, 4) > 100


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.fault("power loss")
@pytest.mark.parametrize("seed", [11, 12])
async def test_many_copies_at_any_moment(tmp_path: Path, seed: int, told: Told) -> None:
    assert await copies(tmp_path, seed, 100) > 100
    told("copies of a database at work, sound and proved", seed=seed, copies=100)


# --- a torn or spoilt write-ahead log ----------------------------------------------------


def cut(wal: Path, choose: random.Random) -> None:
    os.truncate(wal, choose.randrange(wal.stat().st_size))


def garbled(wal: Path, choose: random.Random) -> None:
    with wal.open("r+b") as file:
        file.seek(choose.randrange(wal.stat().st_size - 600))
        file.write(choose.randbytes(512))


def headless(wal: Path, choose: random.Random) -> None:
    with wal.open("r+b") as file:
        file.write(choose.randbytes(32))


SPOILT: dict[str, Callable[[Path, random.Random], None]] = {
    "cut": cut,
    "garbled": garbled,
    "headless": headless,
}


async def spoilt(folder: Path, how: str, seed: int, times: int) -> dict[str, int]:
    """What came of starting on each: refused, or used with a part that is missed or not."""
    choose = random.Random(seed)
    ends = {"refused": 0, "nothing lost": 0, "begun with what was left": 0}
    async with working(folder, seed) as (site, pid):
        await asyncio.sleep(1)
        store = await copied(pid, folder / "data", folder / "kept")
    full = {name: {r["id"] for r in rows} for name, rows in read_ledger(store).items()}
    for n in range(times):
        place = folder / f"spoilt{n}"
        shutil.copytree(store.path.parent, place)
        one = SqliteStore.in_folder(place)
        SPOILT[how](one.path.with_name(one.path.name + "-wal"), choose)
        head = last_head(one.keys.with_name(HEADS_FILE))
        assert head is not None
        site.store, site.ami_port = one, 9  # no PBX adds anything
        try:
            with capture_logs() as said:
                async with daemon(site, folder):
                    report = await proved(one)
            # What was said of the log elsewhere cannot be taken back by a loss.
            assert report.fault is None or "head" in report.fault.what, report.fault
        except StartError as error:
            assert str(place) in str(error), error
            ends["refused"] += 1
            continue
        sound(one)
        left = {name: {r["id"] for r in rows} for name, rows in read_ledger(one).items()}
        left["gaps"] &= full["gaps"]  # that this daemon was not running is one more
        lost = sum(len(full[name] - ids) for name, ids in left.items())
        assert all(ids <= full[name] for name, ids in left.items()), "nothing is invented"
        # A loss can be told as far as a head was given away: here, that of the start.
        (began,) = one.read("SELECT max(n) AS n FROM audit WHERE action = 'start'")
        told = any(line["event"] == "rows_missing" for line in said)
        assert told == (head.n >= began["n"]), "rows that were said are missing without a word"
        ends["begun with what was left" if lost else "nothing lost"] += 1
    return ends


@pytest.mark.fault("DB corrupted")
@pytest.mark.parametrize("how", SPOILT)
async def test_a_spoilt_log(tmp_path: Path, how: str) -> None:
    ends = await spoilt(tmp_path, how, 1, 2)
    assert sum(ends.values()) == 2


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.fault("DB corrupted")
@pytest.mark.parametrize("how", SPOILT)
async def test_a_log_spoilt_in_many_places(tmp_path: Path, how: str, told: Told) -> None:
    ends = await spoilt(tmp_path, how, 2, 60)
    told(f"starts on a write-ahead log that was {how}", seed=2, **ends)
