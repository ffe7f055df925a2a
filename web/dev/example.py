"""Example data for the stand-in: a small floor with every awkward case that the page must show."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from monitord.api import wire
from monitord.domain import views
from monitord.domain.words import (
    AgentStatus,
    CallState,
    Direction,
    EndReason,
    LinkState,
    Provenance,
    SpyType,
    SupervisionState,
)

S = 1000
MIN = 60 * S
OBSERVED, DERIVED, SUPPLIED, UNVERIFIED = (
    Provenance.OBSERVED,
    Provenance.DERIVED,
    Provenance.SUPPLIED,
    Provenance.UNVERIFIED,
)

NAMES = {
    "anna": "Anna Bergström",
    "marco": "Marco Ruiz",
    "oyelaran": "Adébáyọ̀ Oyèláràn-Whitcombe of the Northern Quality Team",
    "priya": "Priya Nair",
    "tom": "Tom Hale",
    "lena": "Lena Fuchs",
    "ben": "Ben Ito",
    "carla": "Carla Mendes",
    "dev": "Dev Patel",
    "eve": "Eve Larsen",
    "finn": "Finn O’Sullivan",
}


def party(who: str, endpoint: str) -> views.Party:
    return views.Party(id=who, name=NAMES.get(who, who), endpoint=endpoint)


AGENTS = {
    name: party(name, f"PJSIP/{n}")
    for n, name in enumerate(["ben", "carla", "dev", "eve", "finn"], 1001)
}


def now() -> int:
    return int(time.time() * 1000)


def supplied(text: str) -> views.Value:
    return views.Value(value=text, provenance=SUPPLIED)


def supervision(
    n: int,
    who: str,
    agent: str | None,
    spy: SpyType,
    ago: int,
    pbx: str = "north",
    **over: object,
) -> views.Supervision:
    given: dict[str, object] = {
        "id": f"s{n}",
        "pbx": pbx,
        "state": SupervisionState.ACTIVE,
        "supervisor": party(who, f"PJSIP/{2000 + n}"),
        "agent": AGENTS[agent] if agent else None,
        "agent_provenance": OBSERVED if agent else None,
        "call": f"c-{agent}" if agent else None,
        "type": spy,
        "at_least": False,
        "type_provenance": OBSERVED,
        "means": "dialplan",
        "started": now() - ago,
        "started_exact": True,
        "since": now() - ago,
        "disconnect_by": None,
    }
    return views.Supervision(**{**given, **over})  # type: ignore[arg-type]


def pbxs(south: LinkState) -> list[wire.Entity]:
    lost = "The TCP connection was refused (south.example, port 5038). Trying again every 15 s."
    return [
        views.Pbx("north", "North", LinkState.LIVE, now() - 90 * MIN, "", "22.6.0"),
        views.Pbx(
            "south",
            "South",
            south,
            now() - (4 * MIN if south is LinkState.LOST else 90 * MIN),
            lost if south is LinkState.LOST else "",
            "20.9.1",
        ),
    ]


def floor() -> list[wire.Entity]:
    statuses = {
        "ben": (AgentStatus.IN_CALL, "", "north"),
        "carla": (AgentStatus.ON_HOLD, "", "north"),
        "dev": (AgentStatus.WRAP_UP, "", "north"),
        "eve": (AgentStatus.IN_CALL, "", "south"),
        "finn": (AgentStatus.IN_CALL, "", "north"),
    }
    agents: list[wire.Entity] = [
        views.Agent(
            f"a-{who}", pbx, AGENTS[who], status, reason, now() - 7 * MIN, who != "finn", OBSERVED
        )
        for who, (status, reason, pbx) in statuses.items()
    ]

    def call(who: str, pbx: str, ago: int, **over: object) -> views.Call:
        given: dict[str, object] = {
            "id": f"c-{who}",
            "pbx": pbx,
            "call_id": f"{(now() - ago) // 1000}.{len(who) * 311}",
            "state": CallState.TALKING,
            "direction": Direction.INBOUND,
            "number": views.Value("+49 30 901820", OBSERVED),
            "agent": AGENTS[who],
            "agent_provenance": OBSERVED,
            "queue": "support",
            "campaign": supplied("Autumn renewals"),
            "list": supplied("2026-11 North"),
            "result": None,
            "started": now() - ago,
            "started_exact": True,
            "answered": now() - ago + 8 * S,
        }
        return views.Call(**{**given, **over})  # type: ignore[arg-type]

    calls: list[wire.Entity] = [
        call("ben", "north", 6 * MIN + 12 * S, direction=Direction.OUTBOUND),
        call("carla", "north", 3 * MIN, campaign=None, list=None),
        call(
            "eve",
            "south",
            21 * MIN,
            started_exact=False,
            number=views.Value("+44 20 7946 0018", DERIVED),
        ),
        call("finn", "north", 71 * MIN, number=None, campaign=None, list=None),
    ]
    supervisions: list[wire.Entity] = [
        supervision(1, "anna", "ben", SpyType.COACH, 4 * MIN + 7 * S),
        supervision(2, "marco", "ben", SpyType.MONITOR, 95 * S, at_least=True),
        supervision(
            3,
            "oyelaran",
            "carla",
            SpyType.BARGE,
            40 * S,
            disconnect_by="Quinn Abara",
        ),
        supervision(
            4,
            "priya",
            "dev",
            SpyType.MONITOR,
            31 * MIN,
            state=SupervisionState.WAITING,
            call=None,
        ),
        supervision(
            5,
            "priya",
            "eve",
            SpyType.UNKNOWN,
            20 * MIN,
            pbx="south",
            started_exact=False,
            type_provenance=UNVERIFIED,
            means="unknown",
        ),
        supervision(6, "tom", "finn", SpyType.BARGE_KICK, 70 * MIN, agent_provenance=DERIVED),
        supervision(7, "lena", None, SpyType.UNKNOWN, 15 * S, means="unknown"),
        supervision(
            8,
            "lena",
            "finn",
            SpyType.MONITOR,
            3 * MIN,
            type_provenance=DERIVED,
        ),
    ]
    return [*pbxs(LinkState.LOST), *agents, *calls, *supervisions]


def history(live: list[views.Supervision], who: str, size: int) -> list[wire.SupervisionRow]:
    """Newest first; the running ones on top."""
    chance = random.Random(who)  # noqa: S311 - example data
    rows = [
        wire.SupervisionRow(
            id=s.id,
            pbx=s.pbx,
            supervisor=s.supervisor,
            agent=s.agent,
            type=s.type,
            at_least=s.at_least,
            type_provenance=s.type_provenance,
            started=s.started,
            started_exact=s.started_exact,
            ended=None,
            ended_exact=False,
            ended_after=None,
            end_reason=None,
            ended_by=None,
            length_ms=None,
            waiting_ms=0,
            means=s.means,
            campaign="Autumn renewals" if s.call else None,
            call_id=s.call,
            earlier_campaigns=[],
            reason=None,
        )
        for s in live
        if s.supervisor.id == who
    ]
    at = now() - 2 * 60 * MIN
    for n in range(size):
        length = chance.randrange(20, 2400) * S
        at -= length + chance.randrange(5, 300) * MIN
        reason = chance.choice([EndReason.HUNG_UP] * 4 + [EndReason.DISCONNECTED, EndReason.LOST])
        lost = reason is EndReason.LOST
        rows.append(
            wire.SupervisionRow(
                id=f"h-{who}-{n}",
                pbx="north",
                supervisor=party(who, "PJSIP/2001"),
                agent=AGENTS[chance.choice(list(AGENTS))],
                type=chance.choice(list(SpyType)),
                at_least=n % 9 == 4,
                type_provenance=OBSERVED,
                started=at,
                started_exact=n % 11 != 5,
                ended=at + length,
                ended_exact=not lost,
                ended_after=at + length - 40 * S if lost else None,
                end_reason=reason,
                ended_by="Quinn Abara" if reason is EndReason.DISCONNECTED else None,
                length_ms=length,
                waiting_ms=length // 5 if n % 2 else 0,
                means="dialplan",
                campaign=chance.choice(["Autumn renewals", "Win back 2026", None]),
                call_id=f"{at // 1000}.{n}",
                earlier_campaigns=["Spring check"] if n % 7 == 3 else [],
                reason=None,
            )
        )
    return rows


def segments(row: wire.SupervisionRow) -> list[wire.Segment]:
    whole = row.length_ms or now() - row.started
    cuts = [0.0, 0.34, 0.5, 0.82]
    ends = [0.3, 0.5, 0.78, 1.0]
    types = [SpyType.MONITOR, SpyType.COACH, SpyType.MONITOR, row.type]
    return [
        wire.Segment(
            n=n + 1,
            type=types[n],
            at_least=False,
            type_provenance=OBSERVED,
            call_id=f"{row.started // 1000}.{n // 2}",
            number="+49 30 901820" if n < 2 else None,
            campaign=row.campaign,
            list=None,
            result="SALE" if n == 1 else None,
            started=row.started + int(whole * cuts[n]),
            ended=None if n == 3 and row.ended is None else row.started + int(whole * ends[n]),
            length_ms=None if n == 3 and row.ended is None else int(whole * (ends[n] - cuts[n])),
        )
        for n in range(4)
    ]
