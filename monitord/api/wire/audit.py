"""The audit log as its readers get it, and its proof."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from monitord.domain.words import AuditKind

OutcomeState = Literal["under way", "known", "unknown"]


class AuditWho(Struct, frozen=True):
    id: str | None
    """Null for somebody who was erased."""
    name: str | None
    pseudonym: str
    """Under which the log knows them, whatever becomes of their name."""


class AuditOutcome(Struct, frozen=True):
    """What became of an act; ``unknown``: it was sent, and nobody knows."""

    state: OutcomeState
    outcome: str
    why: str
    n: int | None
    """Of the row that says so; null as long as there is none."""
    at: int | None


class AuditRow(Struct, frozen=True):
    n: int
    at: int
    kind: AuditKind | None
    """Null for an act that this version does not know."""
    action: str
    actor: AuditWho | None
    """Null: monitord itself."""
    target: str
    about: int | None
    """Number of the row whose outcome this one is."""
    detail: dict[str, Any]
    """What the keys still open, by its own names."""
    erased: list[str]
    """Pseudonyms of people and numbers whose values cannot be read any more."""
    hash: str
    outcome: AuditOutcome | None
    """Only of an act that has one."""
    versions: int
    """How many rows say what was observed of the same thing; this one is the last of them."""
    parts: list[dict[str, Any]]
    """Of a supervision: its segments, each as it was last seen."""


class AuditPage(Struct, frozen=True):
    """Newest first."""

    rows: list[AuditRow]
    next: str | None


class AuditRaw(Struct, frozen=True):
    """A row as it stands in the table: the hash is made of these (docs/audit.md)."""

    n: int
    at: int
    action: str
    actor: str | None
    subject: str | None
    number: str | None
    target: str
    about: int | None
    body: str
    hash: str


class AuditDetail(Struct, frozen=True):
    row: AuditRow
    raw: AuditRaw
    before: str
    """Hash of the row before."""
    versions: list[AuditRow]
    """All that was observed of the same thing, its parts included, in the order of the log."""


class AuditHead(Struct, frozen=True):
    """The last row, signed."""

    n: int
    hash: str
    at: int
    keys: str
    signature: str
    public: str
    """The key that verifies it: base64 of 32 bytes, Ed25519."""


class Proving(Struct, frozen=True):
    """A proof under way."""

    by: AuditWho
    begun: int
    what: str
    """The table that is looked at now; ``rows`` are the log's own."""
    done: int
    of: int


class Proof(Struct, frozen=True):
    """The last one that ended."""

    by: AuditWho | None
    begun: int
    ended: int
    outcome: Literal["whole", "broken", "cancelled", "failed", "unknown"]
    why: str
    rows: int
    heads: int
    """Signed heads that lie on the chain."""
    ledger: int
    """Rows of the ledger that are as the log says."""
    broken_at: int | None
    """The first broken row."""


class ProofState(Struct, frozen=True):
    running: Proving | None
    last: Proof | None
