"""What somebody looked for, as the audit log keeps it: whom and which number they asked about is
that one's own."""

from __future__ import annotations

from collections.abc import Mapping

from monitord.audit.entry import Of

PEOPLE = ("supervisor", "agent", "actor", "person", "by", "leader")


def of_filters(filters: Mapping[str, str]) -> tuple[dict[str, str], tuple[Of, ...]]:
    """What is nobody's own, and the rest."""
    plain = {k: v for k, v in filters.items() if k not in (*PEOPLE, "number")}
    personal = [
        Of({"filters": {k: filters[k]}}, person=filters[k]) for k in PEOPLE if filters.get(k)
    ]
    if number := filters.get("number"):
        personal.append(Of({"filters": {"number": number}}, number=number))
    return plain, tuple(personal)
