"""What is taken out of rows that were still on their way into the ledger when somebody was erased:
the recorder passes each of them through here, inside the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitord.audit.keys import digits
from monitord.domain.ledger import (
    AlertRecord,
    AliasRecord,
    AskedRecord,
    GapRecord,
    OutgoingRecord,
    Record,
    SaidScore,
    ScoreRecord,
)
from monitord.privacy.rules import HOLDINGS
from monitord.store.rows import TABLE_OF


class Blank:
    def __init__(self) -> None:
        self._erased: dict[str, tuple[str, int]] = {}
        """Pseudonym, and when it was erased, of ids and of numbers' digits. A row that began later
        is of somebody new, or of a number that called again."""

    def add(self, pseudonyms: Mapping[str, str], at: int) -> None:
        self._erased.update({key: (name, at) for key, name in pseudonyms.items()})

    def take_back(self, pseudonyms: Mapping[str, str]) -> None:
        for key in pseudonyms:
            self._erased.pop(key, None)

    def __call__(self, record: Record) -> Record:
        if not self._erased or isinstance(record, AliasRecord | SaidScore | ScoreRecord):
            return record  # they name nobody
        holding = HOLDINGS.get(TABLE_OF[type(record)].name)
        if holding is None or isinstance(record, AskedRecord | OutgoingRecord | GapRecord):
            return record
        began = record.raised if isinstance(record, AlertRecord) else record.started
        changed: dict[str, Any] = {}
        for spot in holding.spots:
            name = self._of(getattr(record, spot.id), began)
            if name is not None:
                changed |= spot.erased(name)
        if holding.number is not None:
            number = getattr(record, holding.number)
            name = self._of(None if number is None else digits(number), began)
            if name is not None:
                changed[holding.number] = name
        return msgspec.structs.replace(record, **changed) if changed else record

    def _of(self, key: str | None, began: int) -> str | None:
        name, at = self._erased.get(key or "", (None, 0))
        return name if name is not None and began <= at else None
