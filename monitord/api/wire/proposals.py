"""Endpoints that were seen at a PBX and are nobody's."""

from __future__ import annotations

from msgspec import Struct

from monitord.api.wire.roster import EndpointName, Instant, PersonNew, RosterId
from monitord.people.words import How


class Proposal(Struct, frozen=True):
    """An endpoint that was seen at a PBX and is nobody's."""

    pbx: str
    endpoint: str
    name: str
    """As a queue calls it; empty where none does."""
    how: list[How]
    first: int
    """When it was first seen."""
    last: int
    dismissed: bool


class Proposals(Struct, frozen=True):
    version: str
    rows: list[Proposal]
    """In the order of PBX and endpoint."""


class ProposalTaken(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose the endpoint is: exactly one of ``person`` and ``new``."""

    endpoint: EndpointName
    person: RosterId | None = None
    new: PersonNew | None = None
    since: Instant | None = None
    """Null: since it was first seen."""


class ProposalDismissed(Struct, frozen=True, forbid_unknown_fields=True):
    pbx: RosterId
    endpoint: EndpointName
    dismissed: bool = True
