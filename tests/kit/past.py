"""A ledger of the site with two teams (``tests.kit.teams``): every text of a call says whose it is,
so that one in the wrong place is known at sight."""

from __future__ import annotations

from typing import Any

from monitord.domain.ledger import CallRecord
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.teams import AGENTS, SUPERVISORS, Viewer, name_of

SUPERVISIONS: list[tuple[str, str | None]] = [
    ("sue", "alpha-1"),
    ("sue", "alpha-2"),
    ("lea", "alpha-3"),
    ("bob", "beta-1"),
    ("ben", "beta-2"),
    ("sue", "beta-3"),
    ("bob", "alpha-4"),
    ("lab/PJSIP/2005", "alpha-5"),
    ("ben", "lab/PJSIP/1019"),
    ("lab/PJSIP/2005", "lab/PJSIP/1019"),
    ("lab/PJSIP/2006", None),
]
"""Supervisor and agent of each that is in the ledger."""

CALLED = [*AGENTS, "lab/PJSIP/1019", None]
PAST = "old"


def fields_of(who: str | None, kind: str) -> dict[str, Any]:
    if who is None:
        return {f"{kind}_{part}": None for part in ("id", "name", "endpoint")}
    endpoint = {**AGENTS, **SUPERVISORS}.get(who, who.removeprefix("lab/"))
    name = f"Nobody's {endpoint}" if "/" in who else name_of(who)
    return {f"{kind}_id": who, f"{kind}_name": name, f"{kind}_endpoint": endpoint}


def label(what: str, agent: str | None) -> str:
    """A text that only the rows of this agent's calls have."""
    return f"{what} of {agent}"


def ledger() -> list[Any]:
    rows: list[Any] = [gap(5, pbx=PAST)]
    for n, agent in enumerate(CALLED, 1):
        given = {"pbx": PAST, "ended": 2_000 + n, "length_ms": 900, **fields_of(agent, "agent")}
        phone = call(
            n,
            call_id=label("id", agent),
            number=f"+44790000{n:02}55{n:02}",
            queue=label("queue", agent),
            campaign=label("campaign", agent),
            list=label("list", agent),
            result=label("result", agent),
            **given,
        )
        rows += [phone, alias(phone.call_id, phone)]
        if agent is not None:
            rows.append(status(n, reason=label("reason", agent), **given))
    phones = {r.agent_id: r for r in rows if isinstance(r, CallRecord)}
    for n, (supervisor, agent) in enumerate(SUPERVISIONS):
        phone = phones[agent]
        about = {"call": phone.id, "call_id": phone.call_id, "campaign": phone.campaign}
        owner = supervision(
            n,
            pbx=PAST,
            ended=3_000 + n,
            length_ms=1_500,
            **about,
            **fields_of(supervisor, "supervisor"),
            **fields_of(agent, "agent"),
        )
        more = {"number": phone.number, "list": phone.list, "result": phone.result}
        rows += [owner, segment(owner, 1, **about, **more)]
        rows.append(segment(owner, 2, campaign=label("second campaign", agent)))
    return rows


def rows_of(kind: str) -> list[Any]:
    return sorted(
        (r for r in ledger() if type(r).__name__ == kind),
        key=lambda r: (r.started, r.id),
        reverse=True,
    )


def seen(viewer: Viewer, row: Any) -> bool:
    return viewer.reaches("history.see", row.agent_id, getattr(row, "supervisor_id", None))


def may_read(viewer: Viewer) -> list[str | None]:
    """Whose calls."""
    return [agent for agent in CALLED if viewer.reaches("history.see", agent)]


def foreign(viewer: Viewer, pairs: list[tuple[str, str | None]]) -> list[str]:
    """Texts that must be in nothing that they are sent of the past; ``pairs``: who supervised
    whom."""
    found: list[str] = []
    shown = {p for s, a in pairs if viewer.reaches("history.see", s, a) for p in (s, a)}
    for agent in CALLED:
        if agent not in may_read(viewer):
            found += [label(what, agent) for what in ("id", "queue", "campaign", "list", "result")]
            found += [label(what, agent) for what in ("reason", "second campaign")]
    for row in rows_of("CallRecord"):
        if row.agent_id not in may_read(viewer) or not viewer.has("number.see"):
            found += [row.number, row.number[1:]]
        if row.agent_id not in may_read(viewer):
            found.append(row.id)
    for person in [*AGENTS, *SUPERVISORS]:
        if viewer.whom("history.see") is not None and not viewer.reaches("history.see", person):
            found += [] if person in shown else [name_of(person)]
    return found


def assert_nothing_foreign(viewer: Viewer, body: str, *pairs: tuple[str, str | None]) -> None:
    for text in foreign(viewer, [*SUPERVISIONS, *pairs]):
        assert text not in body, text
