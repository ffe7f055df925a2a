"""Which fields of the ledger's rows are somebody's own, and whether such a one was erased."""

from __future__ import annotations

from monitord.domain.ledger import AlertRecord, SegmentRecord, SupervisionRecord
from monitord.people.erased import ENDPOINT, NAME, TEXT, is_pseudonym

PERSONAL: dict[type, frozenset[str]] = {
    SupervisionRecord: frozenset(
        {
            *("supervisor_id", "supervisor_name", "supervisor_endpoint"),
            *("agent_id", "agent_name", "agent_endpoint", "ended_by_id", "ended_by_name"),
        }
    ),
    SegmentRecord: frozenset({"number"}),
    AlertRecord: frozenset(
        {
            *("supervisor_id", "supervisor_name", "supervisor_endpoint", "why"),
            *("agent_id", "agent_name", "agent_endpoint"),
            *("acknowledged_by_id", "acknowledged_by_name"),
        }
    ),
}
"""Fields that are somebody's own, of the records that the audit log keeps."""


def as_erased(field: str, value: object) -> bool:
    """Whether a personal field holds what is left of one."""
    if field.endswith("_id") or field == "number":
        return is_pseudonym(value)
    if field.endswith("_name"):
        return value == NAME
    return value in (ENDPOINT, TEXT)
