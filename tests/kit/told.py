"""A site of which every agent can sign in, and what the database says of what they were told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.kit.daemon import password_hash
from tests.kit.receiver import SECRET, Receiver
from tests.kit.stores import Store

AGENTS = {f"agent-{n}": f"PJSIP/100{n}" for n in range(1, 7)}
ALL = '[told]\nwhen = "start and end"\nwho = true\nreason = true\n'
CENTRE = {"agents": 6, "supervisors": 3, "supervisions": 2}


def people() -> str:
    def one(key: str, role: str, endpoint: str = "", more: str = "") -> str:
        owned = f'endpoints = ["{endpoint}"]\n' if endpoint else ""
        return (
            f'\n[[people]]\nid = "{key}"\nname = "{key.title()} Person"\nlogin = "{key}"\n'
            f'role = "{role}"\nscope = "all"\npassword_hash = "{password_hash()}"\n{owned}{more}'
        )

    return "".join(
        [
            one("ina", "QA manager"),
            one("sue", "supervisor", "PJSIP/2001"),
            one("tom", "supervisor", "PJSIP/2002"),
            one("lea", "supervisor", "PJSIP/2003"),
            # The role's scope reaches everybody, and yet an agent is told of themselves alone.
            *(one(key, "agent", endpoint, "agent = true\n") for key, endpoint in AGENTS.items()),
        ]
    )


def webhook(folder: Path, receiver: Receiver) -> str:
    key = folder / "hook-key"
    key.touch(mode=0o600)
    key.write_text(SECRET + "\n")
    return receiver.settings()


def notices(store: Store) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in store.read("SELECT * FROM notice")}


def supervisions(store: Store) -> dict[str, dict[str, Any]]:
    """Those of somebody."""
    rows = store.read("SELECT * FROM supervision WHERE agent_id IS NOT NULL")
    return {row["id"]: row for row in rows}


def assert_as_the_ledger(store: Store) -> None:
    """Where all is told at start and end: a notice for each supervision, with its very end, told
    as begun, and as ended if and only if it has ended."""
    rows, told = supervisions(store), notices(store)
    assert set(rows) == set(told)
    for key, row in rows.items():
        notice = told[key]
        for name in ("agent_id", "supervisor_id", "started", "ended", "ended_after", "type"):
            assert notice[name] == row[name], (name, notice, row)
        for name in ("at_least", "started_exact", "ended_exact"):
            assert bool(notice[name]) == bool(row[name]), name
        assert notice["told_begun"] is not None
        assert (notice["told_ended"] is None) == (row["ended"] is None)
