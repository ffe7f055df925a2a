"""Scores that the PBXs say, on their way to the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import structlog

from monitord.csat.rules import Scale, ScoreError, score_of
from monitord.domain.ledger import Record, SaidScore, ScoreRecord
from monitord.domain.words import ScoreSource


class Intake:
    def __init__(self, scale: Callable[[], Scale], full: Callable[[], bool]) -> None:
        """``full``: whether there is no room for one more score without a call."""
        self._scale, self._full = scale, full
        self.refused = 0
        """Since the start: what was said and is no score of the site's scale."""
        self.refused_why = ""
        self._log = structlog.get_logger("csat")

    def taken(self, records: list[Record]) -> list[Record]:
        """The same, with rows in the place of what was said."""
        if not any(isinstance(record, SaidScore) for record in records):
            return records
        found: list[Record] = []
        for record in records:
            if not isinstance(record, SaidScore):
                found.append(record)
            elif (row := self._row(record)) is not None:
                found.append(row)
        return found

    def _row(self, said: SaidScore) -> ScoreRecord | None:
        scale = self._scale()
        try:
            value = score_of(said.value, scale)
        except ScoreError as error:
            self._refuse(said, str(error))
            return None
        if self._full():
            self._refuse(said, "too many scores wait for their call already")
            return None
        # What is played again from a trace is the same row.
        text = f"{said.pbx}\x1f{said.boot}\x1f{said.given}\x1f{said.at}\x1f{value}"
        key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=10).hexdigest()
        return ScoreRecord(
            id=key,
            pbx=said.pbx,
            given=said.given,
            call=None,
            value=value,
            low=scale.low,
            high=scale.high,
            at=said.at,
            received=said.at,
            source=ScoreSource.SURVEY,
            reference=key,
        )

    def _refuse(self, said: SaidScore, why: str) -> None:
        """Without what was said: it may have been typed for another purpose."""
        self.refused += 1
        self.refused_why = why
        self._log.warning("score_refused", pbx=said.pbx, call=said.given, why=why)
