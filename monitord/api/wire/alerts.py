"""The alerts on record; the entity itself is one of the stream's."""

from __future__ import annotations

from msgspec import Struct

from monitord.domain.views import Alert


class Acknowledge(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of an acknowledgement; who and when, the server knows."""


class AlertPage(Struct, frozen=True):
    """Newest first. A page may hold fewer rows than were asked for and yet not be the last."""

    rows: list[Alert]
    next: str | None
