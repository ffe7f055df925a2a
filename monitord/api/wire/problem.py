"""Why not: the one shape of every error."""

from __future__ import annotations

from msgspec import Struct


class ProblemDetail(Struct, frozen=True):
    """Why a request was not carried out, with the field that is to blame."""

    error: str
    """Stable, for programs: ``bad_request``, ``not_signed_in``, ``forbidden``, ``not_found`` ..."""
    message: str
    """For people: the rule that was broken."""
    field: str | None = None
