"""Made-up rows of the ledgers."""

from __future__ import annotations

from typing import Any

from monitord.domain.ledger import (
    AliasRecord,
    CallRecord,
    GapRecord,
    PartRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.words import AgentStatus, Direction, Provenance, SpyType


def supervision(n: int, **fields: Any) -> SupervisionRecord:
    given: dict[str, Any] = {
        "id": f"{n:020x}",
        "pbx": "lab",
        "boot": "b",
        "spyer": f"1.{n}",
        "supervisor_id": "sue",
        "supervisor_name": "Sue Supervisor",
        "supervisor_endpoint": "PJSIP/2001",
        "agent_id": "ann",
        "agent_name": "Ann Agent",
        "agent_endpoint": "PJSIP/1001",
        "agent_provenance": Provenance.OBSERVED,
        "type": SpyType.MONITOR,
        "at_least": False,
        "type_provenance": Provenance.OBSERVED,
        "means": "dialplan",
        "campaign": "spring",
        "call": None,
        "call_id": None,
        "started": 1_000 + n,
        "started_exact": True,
    }
    return SupervisionRecord(**{**given, **fields})


def segment(owner: SupervisionRecord, n: int, **fields: Any) -> SegmentRecord:
    given: dict[str, Any] = {
        "id": f"{owner.id}-{n}",
        "supervision": owner.id,
        "n": n,
        "type": owner.type,
        "at_least": False,
        "type_provenance": Provenance.OBSERVED,
        "spyee": None,
        "call": None,
        "call_id": None,
        "number": None,
        "campaign": None,
        "list": None,
        "result": None,
        "started": owner.started,
        "started_exact": True,
    }
    return SegmentRecord(**{**given, **fields})


def call(n: int, **fields: Any) -> CallRecord:
    given: dict[str, Any] = {
        "id": f"c{n:019x}",
        "pbx": "lab",
        "boot": "b",
        "call_id": f"7.{n}",
        "agent_id": "ann",
        "agent_name": "Ann Agent",
        "agent_endpoint": "PJSIP/1001",
        "agent_provenance": Provenance.OBSERVED,
        "direction": Direction.INBOUND,
        "number": "5551234",
        "queue": "support",
        "campaign": "spring",
        "list": None,
        "result": None,
        "started": 1_000 + n,
        "started_exact": True,
        "answered": None,
    }
    return CallRecord(**{**given, **fields})


def part(owner: CallRecord, **fields: Any) -> PartRecord:
    given: dict[str, Any] = {
        "id": f"{owner.id}p",
        "pbx": owner.pbx,
        "call": owner.id,
        "agent_id": "bob",
        "agent_name": "Bob Agent",
        "agent_endpoint": "PJSIP/1003",
        "started": owner.started,
        "ended": owner.started + 500,
        "exact": True,
    }
    return PartRecord(**{**given, **fields})


def alias(name: str, owner: CallRecord) -> AliasRecord:
    return AliasRecord(pbx=owner.pbx, boot=owner.boot, alias=name, call=owner.id)


def status(n: int, **fields: Any) -> StatusRecord:
    given: dict[str, Any] = {
        "id": f"s{n}",
        "pbx": "lab",
        "agent_id": "ann",
        "agent_name": "Ann Agent",
        "agent_endpoint": "PJSIP/1001",
        "status": AgentStatus.AVAILABLE,
        "reason": "",
        "started": 1_000 + n,
        "started_exact": True,
    }
    return StatusRecord(**{**given, **fields})


def gap(n: int, **fields: Any) -> GapRecord:
    given = {"id": f"g{n}", "pbx": "lab", "started": n, "ended": None, "why": "lost"}
    return GapRecord(**{**given, **fields})  # type: ignore[arg-type]
