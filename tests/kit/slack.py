"""The truth held against a ledger of real time: the daemon stamps what it gets when it gets it.

Each time that says of itself to be exact is moved to the true one where that is within the slack,
and each window is widened by it; then the strict comparison judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.kit.truth import ATTACH_MS, Comparison, Row, Segment, Supervision, Truth


@dataclass
class RealTime(Comparison):
    slack_ms: int = 0
    """From the simulator's own clock to the daemon's stamp: both loops and the wire between."""

    def _unseen(self, started: int, ended: int | None) -> bool:
        return any(
            started <= b + self.slack_ms and (ended is None or ended >= a - self.slack_ms)
            for a, b in self.gaps
        )

    def _hidden(self, started: int, ended: int | None) -> bool:
        return self._within(started, ended, self.slack_ms)

    def _surely_hidden(self, started: int, ended: int | None) -> bool:
        return self._within(started, ended, -self.slack_ms)

    def _within(self, started: int, ended: int | None, more: int) -> bool:
        return ended is not None and any(
            a - more < started and ended <= b + more for a, b in self.gaps
        )

    def _told(self, at: int) -> bool:
        """A call that ends just when the daemon attaches may be seen only as one leg of it."""
        return not self._unseen(at, at)

    def _begins(self, true: Supervision, first: Segment, row: Row) -> bool:
        if row["started_exact"]:
            return row["started"] in {s.started for s in true.segments}
        return true.started <= row["started"] + ATTACH_MS + self.slack_ms

    def _meet(self, true: Supervision, row: Row, slack_ms: int = 0) -> bool:
        return super()._meet(true, row, slack_ms or self.slack_ms)


def eased(
    ledger: dict[str, list[Row]], truth: Truth, slack_ms: int, ahead_ms: int
) -> dict[str, list[Row]]:
    """The ledger in the truth's times. ``ahead_ms``: how far the daemon's clock is before the
    simulator's."""
    starts: dict[str, set[int]] = defaultdict(set)
    ends: dict[str, set[int]] = defaultdict(set)
    for one in truth.supervisions:
        starts[one.spyer] |= {one.started, *(s.started for s in one.segments)}
        ends[one.spyer] |= {t for t in (one.ended, *(s.ended for s in one.segments)) if t}
    calls = {one.of["call"]: one for one in truth.calls}

    def snapped(value: int | None, true: Iterable[int]) -> int | None:
        if value is None:
            return None
        value -= ahead_ms
        near = min(true, key=lambda t: abs(t - value), default=value)
        return near if abs(near - value) <= slack_ms else value

    def ease(row: Row, begun: Iterable[int], over: Iterable[int]) -> Row:
        row = dict(row)
        if row.get("answered") is not None:
            row["answered"] = snapped(row["answered"], calls_answered(row))
        row["started"] = snapped(row["started"], begun if row["started_exact"] else ())
        if row["ended"] is not None and row["ended_exact"]:
            row["ended"] = snapped(row["ended"], over)
        elif row["ended"] is not None:
            row["ended"] += slack_ms - ahead_ms
            if row.get("ended_after") is not None:  # a segment has none
                row["ended_after"] -= slack_ms + ahead_ms
        return row

    def calls_answered(row: Row) -> tuple[int, ...]:
        true = calls.get(row["call_id"])
        return () if true is None or true.answered is None else (true.answered,)

    segments = []
    by_supervision: dict[str, list[Row]] = defaultdict(list)
    spyers = {row["id"]: row["spyer"] for row in ledger["supervisions"]}
    for row in ledger["segments"]:
        spyer = spyers[row["supervision"]]
        segments.append(ease(row, starts[spyer], ends[spyer]))
        by_supervision[row["supervision"]].append(segments[-1])
    supervisions = []
    for row in ledger["supervisions"]:
        now = ease(row, starts[row["spyer"]], ends[row["spyer"]])
        if now["ended"] is not None and now["ended_exact"]:
            length = now["ended"] - now["started"]
            parts = by_supervision[row["id"]]
            heard = sum(s["ended"] - s["started"] for s in parts if s["ended"] is not None)
            for key, value in (("length_ms", length), ("waiting_ms", length - heard)):
                # A length is a difference of two stamps, waiting one of many.
                if abs(row[key] - value) <= slack_ms * 2 * len(parts):
                    now[key] = value
        supervisions.append(now)
    eased_calls = []
    for row in ledger["calls"]:
        true = calls.get(row["call_id"])
        begun = () if true is None else (true.started,)
        over = () if true is None or true.ended is None else (true.ended,)
        eased_calls.append(ease(row, begun, over))
    return {
        **ledger,
        "supervisions": supervisions,
        "segments": segments,
        "calls": eased_calls,
    }
