"""PostgreSQL: what is refused stays as it is, one daemon at a time, and a server that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.store import engine as engines
from monitord.store import postgres as ours
from monitord.store import recorder as recorders
from monitord.store.engine import StoreError, open_store
from monitord.store.history import History, Query, UnreadableError
from monitord.store.memory import remembered
from monitord.store.postgres import postgres_url
from monitord.store.recorder import Recorder
from tests.kit.centre import until
from tests.kit.postgres import Server
from tests.kit.records import gap, supervision
from tests.kit.stores import EVERYTHING, PostgresStore


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for longer than the tests need."""
    monkeypatch.setattr(engines, "TAKEN_S", 0.0)
    monkeypatch.setattr(recorders, "RETRY_S", 0.02)


@asynccontextmanager
async def opened(store: PostgresStore) -> AsyncIterator[AsyncEngine]:
    engine = await open_store(store.url)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def recording(engine: AsyncEngine) -> AsyncIterator[Recorder]:
    recorder = Recorder(engine)
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        task.cancel()
        await asyncio.wait([task])


def _sql(*statements: str) -> Callable[[PostgresStore], None]:
    return lambda store: store.change(*statements)


def _as_admin(*statements: str) -> Callable[[PostgresStore], None]:
    def do(store: PostgresStore) -> None:
        with store.other() as other:
            for statement in statements:
                other.run(statement.format(name=store.name))

    return do


# --- what is refused ---------------------------------------------------------------------

FOREIGN = {
    "tables": _sql("CREATE TABLE accounts (id int)", "INSERT INTO accounts VALUES (1)"),
    "view-only": _sql("CREATE VIEW v AS SELECT 1"),
    "same-table-name": _sql("CREATE TABLE call (id int)"),
    "alembic-too": _sql(
        "CREATE TABLE alembic_version (version_num text)",
        "INSERT INTO alembic_version VALUES ('0001')",
        "CREATE TABLE other (id int)",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_refuses_another_programs(name: str, postgres: PostgresStore) -> None:
    FOREIGN[name](postgres)
    before = postgres.read(EVERYTHING)
    with pytest.raises(StoreError, match="belongs to another program") as refused:
        await open_store(postgres.url)
    assert postgres.read(EVERYTHING) == before
    assert postgres.address in str(refused.value), "without the password"


SPOILT = {
    "newer": (_sql("UPDATE alembic_version SET version_num = '9999'"), "by a newer monitord"),
    "a-table-lost": (_sql("DROP TABLE segment"), "lacks the tables segment"),
    "no-right-to-a-table": (
        _as_admin("ALTER TABLE audit OWNER TO admin", "GRANT SELECT ON audit TO monitord"),
        "may not read and write the tables audit",
    ),
    "only-to-be-read": (
        _as_admin("ALTER DATABASE {name} SET default_transaction_read_only = on"),
        "can only be read",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
async def test_refuses_and_leaves_it(name: str, postgres: PostgresStore) -> None:
    await (await open_store(postgres.url)).dispose()
    spoil, words = SPOILT[name]
    spoil(postgres)
    before = postgres.read(EVERYTHING)
    with pytest.raises(StoreError, match=words):
        await open_store(postgres.url)
    assert postgres.read(EVERYTHING) == before


EMPTY = {
    "no-schema": (_as_admin("DROP SCHEMA public"), "sees no schema"),
    "no-right-to-create": (
        _as_admin("ALTER DATABASE {name} OWNER TO admin"),
        "may not make tables in the schema public",
    ),
}


@pytest.mark.parametrize("name", EMPTY)
async def test_refuses_where_it_can_make_nothing(name: str, postgres: PostgresStore) -> None:
    spoil, words = EMPTY[name]
    spoil(postgres)
    with pytest.raises(StoreError, match=words):
        await open_store(postgres.url)


async def test_refuses_an_encoding_that_takes_not_every_name(postgres_server: Server) -> None:
    name = postgres_server.new_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="in LATIN1, not in UTF8"):
        await open_store(PostgresStore(postgres_server, name).url)
    postgres_server.drop(name)


async def test_what_an_extension_brings_is_no_other_programs(postgres: PostgresStore) -> None:
    _as_admin("CREATE EXTENSION pg_stat_statements")(postgres)
    async with opened(postgres):
        assert postgres.read("SELECT count(*) AS n FROM audit") == [{"n": 0}]


UNREACHABLE: dict[str, tuple[Callable[[URL], URL], str]] = {
    "no-such-database": (lambda u: u.set(database="none"), 'database "none" does not exist'),
    "wrong-password": (lambda u: u.set(password="wrong"), "password authentication failed"),
    "no-password": (lambda u: u.set(username="admin", password=""), "password"),
    "no-server": (lambda u: u.set(port=1), "Connect call failed"),
    "no-tls-there": (lambda u: u.update_query_dict({"sslmode": "require"}), "SSL"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
async def test_says_why_it_cannot_be_reached(name: str, postgres: PostgresStore) -> None:
    change, words = UNREACHABLE[name]
    with pytest.raises(StoreError, match=words) as refused:
        await open_store(change(postgres.url))
    assert postgres.server.password not in str(refused.value)


# --- one daemon at a time ----------------------------------------------------------------


@pytest.mark.fault("two daemons")
async def test_a_second_daemon_is_refused_while_the_first_lives(postgres: PostgresStore) -> None:
    async with opened(postgres) as engine:
        with pytest.raises(StoreError, match=r"another monitord already runs on it \(monitord@"):
            await open_store(postgres.url)
        assert await Recorder(engine).write(), "the first one goes on"
    async with opened(postgres):
        pass


@pytest.mark.fault("two daemons")
async def test_two_at_once_are_one_and_migrate_once(postgres: PostgresStore) -> None:
    starts = (open_store(postgres.url) for _ in range(4))
    ends = await asyncio.gather(*starts, return_exceptions=True)
    (engine,) = (e for e in ends if isinstance(e, AsyncEngine))
    refused = [e for e in ends if not isinstance(e, AsyncEngine)]
    assert [type(e) for e in refused] == [StoreError] * 3, refused
    assert all("another monitord" in str(e) for e in refused)
    await engine.dispose()


async def test_a_start_waits_for_one_that_just_ended(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server learns of a kill a moment after the machine does."""
    monkeypatch.setattr(engines, "TAKEN_S", 60.0)
    first = await open_store(postgres.url)
    asked = asyncio.Event()
    claim = ours._claim

    async def seen(connection: Any, me: int) -> None:
        try:
            await claim(connection, me)
        finally:
            asked.set()

    monkeypatch.setattr(ours, "_claim", seen)
    second = asyncio.create_task(open_store(postgres.url))
    await asked.wait()
    assert not second.done()
    await first.dispose()
    await (await second).dispose()


@pytest.mark.fault("two daemons")
async def test_a_daemon_that_lost_its_place_writes_nothing(postgres: PostgresStore) -> None:
    """The server was restarted, and another daemon was the first to come back."""
    async with opened(postgres) as engine, recording(engine) as recorder:
        recorder.take([supervision(1)])
        await recorder.settled()
        postgres.server.kill()
        postgres.server.start()
        postgres.server.connect_again()
        async with opened(postgres):
            recorder.take([supervision(2)])
            await until(lambda: "another monitord" in recorder.failing, "it is refused")
            assert len(postgres.read("SELECT id FROM supervision")) == 1
            with pytest.raises(UnreadableError, match="another monitord"):
                await History(engine).supervisions(Query(limit=9))
        await recorder.settled()
        assert len(postgres.read("SELECT id FROM supervision")) == 2


# --- a server that fails -----------------------------------------------------------------


@pytest.mark.fault("power loss")
async def test_every_connection_is_durable_and_bounded(postgres: PostgresStore) -> None:
    wanted = {
        "synchronous_commit": "on",
        "lock_timeout": "5s",
        "statement_timeout": "30s",
        "transaction_isolation": "repeatable read",
        "tcp_keepalives_idle": "60",
    }
    assert postgres.server.admin.read("SHOW synchronous_commit") == [{"synchronous_commit": "off"}]
    async with opened(postgres) as engine:
        connections = [await engine.connect() for _ in range(8)]
        for connection in connections:
            found = {n: await connection.scalar(text(f"SHOW {n}")) for n in wanted}
            assert found == wanted
            await connection.close()


async def test_a_stronger_promise_of_the_server_is_kept(postgres: PostgresStore) -> None:
    _as_admin("ALTER DATABASE {name} SET synchronous_commit = remote_apply")(postgres)
    async with opened(postgres) as engine:
        assert postgres.server.password not in engine.url.render_as_string(hide_password=False)
        async with engine.connect() as connection:
            assert await connection.scalar(text("SHOW synchronous_commit")) == "remote_apply"


@pytest.mark.parametrize("at", ["between-batches", "in-a-batch", "while-it-is-down"])
async def test_a_kill_of_the_server_loses_nothing(at: str, postgres: PostgresStore) -> None:
    async with opened(postgres) as engine, recording(engine) as recorder:
        recorder.live = lambda: {"lab": 5_000}
        recorder.take([supervision(n) for n in range(500)])
        if at == "in-a-batch":
            await until(lambda: recorder._busy)
        else:
            await recorder.settled()
        postgres.server.kill()
        if at == "while-it-is-down":
            recorder.take([supervision(n) for n in range(500, 700)])
            await until(lambda: recorder.failing, "it says that it cannot write")
            with pytest.raises(UnreadableError):
                await History(engine).supervisions(Query(limit=9))
        postgres.server.start()
        postgres.server.connect_again()
        recorder.take([supervision(7, ended=9_000), gap(1)])
        await recorder.settled()
        found = await remembered(engine, "lab")
        assert len(found.supervisions) == (699 if at == "while-it-is-down" else 499)
        assert [g.id for g in found.gaps] == ["g1"] and found.last_seen == 5_000
        assert recorder.failing == "" and recorder.dropped == 0


async def test_what_was_saved_survives_a_kill_at_once(postgres: PostgresStore) -> None:
    """The server itself is set to forget the last commits; the daemon's sessions are not."""
    async with opened(postgres) as engine:
        recorder = Recorder(engine)
        for n in range(5):
            recorder.take([supervision(n)])
            assert await recorder.write()
            postgres.server.kill()
            postgres.server.start()
            assert len(postgres.read("SELECT id FROM supervision")) == n + 1
    postgres.server.connect_again()


async def test_a_server_that_hangs_is_taken_for_dead(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "COMMAND_S", 0.2)
    monkeypatch.setattr(ours, "CONNECT_S", 0.2)
    async with opened(postgres) as engine:
        recorder = Recorder(engine)
        recorder.take([supervision(1)])
        assert await recorder.write()
        postgres.server.stop_answering()
        try:
            recorder.take([supervision(2)])
            async with asyncio.timeout(60):
                assert not await recorder.write() and recorder.failing
                with pytest.raises(UnreadableError):
                    await History(engine).supervisions(Query(limit=9))
        finally:
            postgres.server.go_on()
        monkeypatch.undo()
        assert await recorder.drain() == 0
    assert len(postgres.read("SELECT id FROM supervision")) == 2


async def test_a_stop_while_the_server_hangs(postgres: PostgresStore) -> None:
    async with opened(postgres) as engine:
        recorder = Recorder(engine)
        recorder.take([supervision(1), supervision(2)])
        postgres.server.stop_answering()
        try:
            async with asyncio.timeout(ours.COMMAND_S):
                assert await recorder.drain(deadline_s=0.1, give_up_s=0.1) == 2
        finally:
            postgres.server.go_on()
        await until(lambda: not recorder._busy, "what was given up is over")
        assert await recorder.drain() == 0
    assert len(postgres.read("SELECT id FROM supervision")) == 2


# --- the same answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    "collation", ["C", "C.UTF-8", "en-US", "de-DE-u-kf-upper", "en-US-u-kn-true"]
)
async def test_paging_under_any_collation(collation: str, postgres_server: Server) -> None:
    """Ids are hexadecimal, so that their order is the same in all but a numeric collation; nothing
    is lost or repeated in that one either."""
    locale = f"LOCALE '{collation}'"
    if "-" in collation.removesuffix("-8"):
        locale = f"LOCALE_PROVIDER icu ICU_LOCALE '{collation}' LOCALE 'C.UTF-8'"
    name = postgres_server.new_database(f"{locale} TEMPLATE template0")
    async with opened(PostgresStore(postgres_server, name)) as engine:
        recorder = Recorder(engine)
        recorder.take([supervision(n, id=i, started=5) for n, i in enumerate(IDS)])
        assert await recorder.write()
        seen: list[str] = []
        cursor: str | None = None
        while cursor or not seen:
            page = await History(engine).supervisions(Query(limit=2, cursor=cursor))
            seen += [r.id for r in page.records]
            cursor = page.next
    postgres_server.drop(name)
    found = sorted(seen, reverse=True) if collation.endswith("kn-true") else seen
    assert found == sorted(IDS, reverse=True)


IDS = ["9" * 20, "0" * 19 + "a", "a" + "0" * 19, "10" + "0" * 18, "9" + "0" * 18 + "f", "f" * 20]

WRONG = {
    "mysql://a@b/c": "must begin with postgresql://",
    "postgres://a@b/c": "must begin with",
    "sqlite:///x": "must begin with",
    "postgresql+psycopg://a@b/c": "must begin with",
    "nonsense": "must look like",
    "postgresql://a@b:port/c": "must look like",
    "postgresql://a:hush@b/c": "must hold no password",
    "postgresql://a@b/c?password=hush": "no option 'password'",
    "postgresql://a@b/c?options=-cfsync=off": "no option 'options'",
    "postgresql://a@b": "role and database",
    "postgresql://b/c": "role and database",
    "postgresql://a@/c": "must name the host",
    "postgresql://a@b,d/c": "one host",
    "postgresql://a@b/c?sslmode=on": "sslmode must be one of",
    "postgresql://a@b/c?sslmode=require&sslmode=disable": "only once",
    "postgresql://a@b/c?sslrootcert=ca.pem": "begins with /",
    "postgresql://a@/c?host=/run&port=x": "port must be",
}


@pytest.mark.parametrize("address", WRONG)
def test_address_refused(address: str) -> None:
    with pytest.raises(ValueError, match=WRONG[address]) as refused:
        postgres_url(address, "secret")
    assert "hush" not in str(refused.value) and "secret" not in str(refused.value)


async def test_by_the_socket_without_a_password(postgres: PostgresStore) -> None:
    server = postgres.server
    address = f"postgresql://monitord@/{postgres.name}?host={server.folder}&port={server.port}"
    await (await open_store(postgres_url(address))).dispose()
