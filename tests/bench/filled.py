"""Databases with millions of rows, through the real tables with all their indexes, kept in the
cache outside the checkout: they are made once for each schema.

The rows are made up by SQLite itself, in the order of their time; its indexes are made when the
rows are there. Both are far quicker than the daemon would be, and lead to the same file but for the
order of its pages. Only the chain of the audit log is none, which nothing but its proof looks at.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from monitord.store.schema import head
from tests.bench.fed import fed
from tests.kit.daemon import Site, password_hash
from tests.kit.stores import SqliteStore
from tests.lab.install import cache_folder, locked

SUPERVISORS, AGENTS, CAMPAIGNS, QUEUES, RESULTS, LISTS = 40, 500, 24, 12, 30, 200
NUMBERS = 0.3
"""Different customers' numbers, as a share of the calls."""

SPAN_MS = 300 * 86_400_000
PARTS = ("supervision", "segment", "call", "call_alias", "audit")

_N = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < :rows) "
_ID = "printf('%010x%010x', (n * 6700417) % 1099511627689, n)"
_START = ":first + n * :step"
_LINKEDID = "printf('lab22-%d.%d', 1700000000 + n, n)"
_NUMBER = "printf('+49%09d', (n * 7919) % :numbers)"
_HASH = "substr(hex(printf('%032d', n * 7919)), 1, 64)"
_SEALED = "hex(printf('%0120d', n * 7919))"

_SUPERVISION = f"""{_N} INSERT INTO supervision (id, pbx, boot, spyer, supervisor_id,
    supervisor_name, supervisor_endpoint, agent_id, agent_name, agent_endpoint, agent_provenance,
    type, at_least, type_provenance, means, campaign, call, call_id, started, started_exact, ended,
    ended_exact, end_reason, length_ms, waiting_ms)
SELECT {_ID}, 'lab', '2026-01-01T04:00:00', {_LINKEDID} || '9', 's' || (n * 31 % {SUPERVISORS}),
    'Supervisor ' || (n * 31 % {SUPERVISORS}), 'PJSIP/2' || printf('%03d', n * 31 % {SUPERVISORS}),
    'a' || (n * 7919 % {AGENTS}), 'Agent ' || (n * 7919 % {AGENTS}),
    'PJSIP/3' || printf('%03d', n * 7919 % {AGENTS}), 'observed',
    CASE WHEN (n + n / 500) % 10 < 6 THEN 'Monitor' WHEN (n + n / 500) % 10 < 8 THEN 'Coach'
        WHEN (n + n / 500) % 10 < 9 THEN 'Barge'
        ELSE 'Barge-Kick' END, n % 50 = 0, 'observed', 'dialplan',
    'campaign ' || (n * 13 % {CAMPAIGNS}), {_ID}, {_LINKEDID}, {_START}, 1,
    {_START} + 60000 + n % 600000, 1, 'hung up', 60000 + n % 600000, n % 5000 FROM t"""

_SEGMENT = f"""{_N} INSERT INTO segment (id, supervision, n, type, at_least, type_provenance, spyee,
    call, call_id, number, campaign, list, result, started, started_exact, ended, ended_exact,
    length_ms)
SELECT {_ID} || '-1', {_ID}, 1, 'Monitor', 0, 'observed', {_LINKEDID}, {_ID}, {_LINKEDID},
    {_NUMBER}, 'campaign ' || (n * 13 % {CAMPAIGNS}), 'list ' || (n * 17 % {LISTS}),
    'result ' || (n * 19 % {RESULTS}), {_START}, 1, {_START} + 60000, 1, 60000 FROM t"""

_CALL = f"""{_N} INSERT INTO call (id, pbx, boot, call_id, agent_id, agent_name, agent_endpoint,
    agent_provenance, direction, number, queue, campaign, list, result, started, started_exact,
    answered, ended, ended_exact, end_reason, talk_ms, hold_ms, wrap_up_ms, length_ms)
SELECT {_ID}, 'lab', '2026-01-01T04:00:00', {_LINKEDID}, 'a' || (n * 7919 % {AGENTS}),
    'Agent ' || (n * 7919 % {AGENTS}), 'PJSIP/3' || printf('%03d', n * 7919 % {AGENTS}), 'observed',
    CASE WHEN n % 3 THEN 'inbound' ELSE 'outbound' END, {_NUMBER}, 'queue ' || (n * 11 % {QUEUES}),
    'campaign ' || (n * 13 % {CAMPAIGNS}), 'list ' || (n * 17 % {LISTS}),
    'result ' || (n * 19 % {RESULTS}), {_START}, 1, {_START} + 9000, {_START} + 60000 + n % 600000,
    1, 'call ended', 50000, n % 7000, 3000, 60000 + n % 600000 FROM t"""

_CALL_ALIAS = f"""{_N} INSERT INTO call_alias (pbx, boot, alias, call)
SELECT 'lab', '2026-01-01T04:00:00', {_LINKEDID}, {_ID} FROM t"""

_AUDIT = f"""{_N} INSERT INTO audit (n, at, action, actor, subject, number, target, about, body,
    hash)
SELECT :before + n, {_START},
    CASE n % 4 WHEN 0 THEN 'observe supervision' WHEN 1 THEN 'observe segment'
        WHEN 2 THEN 'view history' ELSE 'sign in' END,
    CASE WHEN n % 4 > 1 THEN printf('p%024x', n * 31 % {SUPERVISORS}) END,
    CASE WHEN n % 4 < 2 THEN printf('p%024x', {SUPERVISORS} + n * 7919 % {AGENTS}) END, NULL,
    {_ID}, NULL,
    '{{"plain":{{"row":{{"type":"Monitor","pbx":"lab","started":' || ({_START}) || '}}}},"sealed":'
        || '{{"' || printf('p%024x', n * 31 % {SUPERVISORS}) || '":"' || {_SEALED} || '"}}}}',
    {_HASH} FROM t"""

_FILL = dict(zip(PARTS, (_SUPERVISION, _SEGMENT, _CALL, _CALL_ALIAS, _AUDIT), strict=True))


def site(folder: Path) -> Site:
    """Of a daemon on it, with one who may read the audit log, and one the history with numbers."""
    made = Site(ami_port=1, secret="a secret only for benches")
    made.store = SqliteStore.in_folder(folder / "data")
    made.people = f"""
[[people]]
id = "ada"
name = "Ada Auditor"
login = "ada"
role = "auditor"
password_hash = "{password_hash()}"

[[people]]
id = "ina"
name = "Ina Viewer"
login = "ina"
role = "QA manager"
password_hash = "{password_hash()}"
"""
    return made


async def filled(rows: int) -> Path:
    """The folder of a site with ``rows`` rows in each of the large tables."""
    cache = cache_folder() / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"history-{head()}-{rows}"
    with locked(cache / f"{folder.name}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            for old in cache.glob(f"history-*-{rows}"):  # of an older schema
                shutil.rmtree(old)
            (folder / "data").mkdir(parents=True)
            async with fed(folder, site(folder)):
                pass  # the tables, the keys, the people, and the beginning of the audit log
            _fill(folder / "data" / "monitord.sqlite3", rows)
            (folder / "complete").write_text(json.dumps({"rows": rows}))
    return folder


def _fill(path: Path, rows: int) -> None:
    began = time.monotonic()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000", "threads=2"):
            connection.execute(f"PRAGMA {pragma}")
        (before,) = connection.execute("SELECT coalesce(max(n), 0) FROM audit").fetchone()
        given = {
            "rows": rows,
            "first": time.time_ns() // 1_000_000 - SPAN_MS - 86_400_000,
            "step": SPAN_MS // rows,
            "numbers": max(1, int(NUMBERS * rows)),
            "before": before,
        }
        for table in PARTS:
            indexes = connection.execute(
                "SELECT name, sql FROM sqlite_master"
                " WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
                (table,),
            ).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            connection.execute("BEGIN")
            connection.execute(_FILL[table], given)
            connection.execute("COMMIT")
            for _, sql in indexes:
                connection.execute(sql)
            seconds = time.monotonic() - began
            print(f"{rows:,} rows: {table} after {seconds:.0f} s", file=sys.stderr, flush=True)
        connection.execute("PRAGMA journal_mode=WAL")
