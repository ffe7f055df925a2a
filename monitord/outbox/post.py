"""Which webhooks there are, and what goes into their queues."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from monitord.domain.ledger import OutgoingRecord

Event = Literal["notice", "flag"]
"""What a webhook can be told of."""


class Hook(Struct, frozen=True):
    url: str
    secret: str
    events: frozenset[str]

    @property
    def id(self) -> str:
        """Of its queue; the same after a restart."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def signature(self, at: int, body: bytes) -> str:
        """``at`` in whole seconds, which are signed too: so that what was listened to once cannot
        be sent again later."""
        digest = hmac.new(self.secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={digest}"


class Post(Struct, frozen=True):
    """Makes the queues' rows. They belong into the transaction of what they are about."""

    hooks: tuple[Hook, ...] = ()

    def records(self, event: Event, key: str, data: Any, now: int) -> Iterator[OutgoingRecord]:
        """One row for each webhook that wants such events. ``key`` is the same for the same event,
        also where it is told again."""
        wanted = [hook for hook in self.hooks if event in hook.events]
        if not wanted:
            return
        body = msgspec.json.encode({"id": key, "event": event, "at": now, "data": data}).decode()
        for hook in wanted:
            yield OutgoingRecord(
                id=f"{hook.id}.{key}",
                hook=hook.id,
                key=key,
                event=event,
                body=body,
                made=now,
                due=now,
            )
