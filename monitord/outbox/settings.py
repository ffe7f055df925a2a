"""The tables ``[[webhook]]`` of the settings."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from monitord.outbox.post import Event

HOOKS_MOST = 10
SECRET_LEAST = 16
"""Characters."""


class Webhook(Struct, forbid_unknown_fields=True, frozen=True):
    """Another program that is told what happens, by HTTP."""

    url: Annotated[str, Meta(max_length=500)]
    secret_file: str
    """File whose first line is the secret that signs each message; relative to the settings
    file."""
    events: Annotated[list[Event], Meta(min_length=1, max_length=20)]


def fault_of(url: str) -> str | None:
    """What is wrong with a webhook's address; None where nothing is."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(c <= " " or c == "\x7f" for c in url):
        return "must be an address that begins with https:// or http://"
    if parts.username is not None or parts.password is not None:
        return "must be without a name and a password; the signature says who sends it"
    if parts.fragment:
        return "must be without a #"
    return None
