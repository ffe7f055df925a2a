"""The chain of the audit log: what a row's hash is made of. Pure.

Whoever wants to check a log with a program of their own needs only this: the hash of a row is the
SHA-256, in hexadecimal, of the JSON array of the hash before it and the row's columns, in the order
of the table, without spaces, in UTF-8. Before the first row stands ``BEFORE_FIRST``.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

BEFORE_FIRST = "0" * 64


class Row(Struct, frozen=True):
    """As it stands in the table."""

    n: int
    at: int
    action: str
    actor: str | None
    subject: str | None
    number: str | None
    target: str
    about: int | None
    body: str
    hash: str = ""


def hash_of(before: str, row: Row) -> str:
    columns = [
        *(before, row.n, row.at, row.action, row.actor, row.subject, row.number),
        *(row.target, row.about, row.body),
    ]
    return hashlib.sha256(msgspec.json.encode(columns)).hexdigest()


class Head(Struct, frozen=True):
    """The last row at some moment. Kept elsewhere, it tells that a log was longer once."""

    n: int
    hash: str
    at: int
    """When it was signed, ms UTC."""
    keys: str
    """Id of the set of keys."""
    signature: str = ""
    """Base64 of Ed25519 over :func:`signed_part`."""


def signed_part(head: Head) -> bytes:
    return msgspec.json.encode(["monitord head", head.n, head.hash, head.at, head.keys])
