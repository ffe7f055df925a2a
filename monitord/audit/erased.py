"""How a row of the ledger looks whose person, or number, was erased: a pseudonym stands where the
id or the number was, so that rows of the same one are still known as such."""

from __future__ import annotations

import re

from monitord.domain.ledger import AlertRecord, SegmentRecord, SupervisionRecord

NAME = "Erased person"
ENDPOINT = "erased"
TEXT = "erased"

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

_PSEUDONYM = re.compile(r"[pn][0-9a-f]{24}")


def is_pseudonym(value: object) -> bool:
    return isinstance(value, str) and _PSEUDONYM.fullmatch(value) is not None


def as_erased(field: str, value: object) -> bool:
    """Whether a personal field holds what is left of one."""
    if field.endswith("_id") or field == "number":
        return is_pseudonym(value)
    if field.endswith("_name"):
        return value == NAME
    return value in (ENDPOINT, TEXT)
