"""The simulator's truth log held against a ledger: nothing lost, nothing invented."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STRENGTH = ("Monitor", "Coach", "Barge", "Barge-Kick")
REASONS = {
    "hung_up": "hung up",
    "disconnected": "disconnected",
    "call_ended": "call ended",
    "moved": "moved",
    "pbx_restarted": "PBX restarted",
}
MEANS = {"feature_code": "dialplan", "originate": "application"}
ATTACH_MS = 100
"""From ChanSpy's begin, which Status shows, to the attachment."""
GONE = ("PBX restarted", "lost", "left", "moved", "call ended")
"""Reasons of an end that nobody saw."""

Row = dict[str, Any]


def instant(epoch: float) -> int:
    """Milliseconds, cut off as the daemon cuts them."""
    return int(epoch * 1e6 + 0.5) // 1000


@dataclass
class Segment:
    type: str
    spyee: str
    started: int
    ended: int | None = None
    of: Row = field(default_factory=dict)
    """The call's labels when it ended."""


@dataclass
class Supervision:
    spyer: str
    supervisor: str
    agent: str
    means: str
    of: str
    keypad: bool
    since: int
    """When the supervisor's channel came about."""
    started: int
    ended: int | None = None
    reason: str | None = None
    segments: list[Segment] = field(default_factory=list)


@dataclass
class Call:
    of: Row
    started: int
    agent: str | None = None
    answered: int | None = None
    ended: int | None = None
    talk: int = 0
    result: str | None = None
    reason: str = ""


@dataclass
class Truth:
    supervisions: list[Supervision]
    calls: list[Call]
    outages: list[Row]


def read_truth(path: Path) -> Truth:
    return truth_of(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def truth_of(facts: Iterable[Row]) -> Truth:
    supervisions: dict[str, Supervision] = {}
    calls: dict[str, Call] = {}
    outages: list[Row] = []
    for fact in facts:
        at, what = instant(fact["epoch"]), fact["what"]
        if what == "supervision_started":
            supervisions[fact["supervision"]] = Supervision(
                fact["spyer"],
                fact["supervisor"],
                fact["agent"],
                MEANS[fact["way"]],
                fact["of"],
                fact["keypad"],
                instant(fact["since"]),
                at,
            )
        elif what == "supervision_ended":
            one = supervisions[fact["supervision"]]
            one.ended, one.reason = at, REASONS[fact["reason"]]
        elif what == "segment_started":
            segment = Segment(fact["type"], fact["spyee"], at)
            supervisions[fact["supervision"]].segments.append(segment)
        elif what == "segment_ended":
            segment = supervisions[fact["supervision"]].segments[-1]
            segment.ended, segment.of = at, fact
        elif what == "call_started":
            calls[fact["call"]] = Call(fact, at)
        elif what == "call_answered":
            call = calls[fact["call"]]
            call.answered, call.agent = at, fact["agent"]
        elif what == "call_ended":
            call = calls[fact["call"]]
            call.ended, call.agent, call.reason = at, fact["agent"], fact["reason"]
            call.result, call.talk = fact["result"] or None, round(fact["talk"] * 1000)
        elif what.startswith("outage"):
            outages.append(fact)
    return Truth(list(supervisions.values()), list(calls.values()), outages)


@dataclass
class Comparison:
    """`gaps`: times in ms in which the daemon saw nothing, the time before it was attached
    included."""

    truth: Truth
    ledger: dict[str, list[Row]]
    gaps: list[tuple[int, int]]
    exact: int = 0
    windows: int = 0
    wrong: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        self._supervisions()
        self._calls()
        return self.wrong

    def _unseen(self, started: int, ended: int | None) -> bool:
        """Whether a part of it, or all, lies where nobody looked."""
        return any(started <= b and (ended is None or ended >= a) for a, b in self.gaps)

    def _hidden(self, started: int, ended: int | None) -> bool:
        """Whether all of it does."""
        return ended is not None and any(a < started and ended <= b for a, b in self.gaps)

    _surely_hidden = _hidden
    """Where the edges of a gap are not known to the millisecond, this is less."""

    def _begins(self, true: Supervision, first: Segment, row: Row) -> bool:
        if row["started_exact"]:
            return bool(row["started"] == first.started)
        return bool(true.started <= row["started"] + ATTACH_MS)

    def _say(self, what: str, true: object, row: object) -> None:
        self.wrong.append(f"{what}\n   truth  {true}\n   ledger {row}")

    # -- supervisions -------------------------------------------------------------------

    def _supervisions(self) -> None:
        segments: dict[str, list[Row]] = defaultdict(list)
        for segment in self.ledger["segments"]:
            segments[segment["supervision"]].append(segment)
        rows = {row["id"]: row for row in self.ledger["supervisions"]}
        by_start = {(row["spyer"], row["started"]): row["id"] for row in rows.values()}
        unsure: list[Supervision] = []
        # Whom a spy on everybody had turned to is not known after a gap, nor when that ended.
        touched = {s.spyer for s in self.truth.supervisions if self._unseen(s.started, s.ended)}
        # Nor which agent a customer had whom nobody looked at before a transfer.
        lost = touched & {
            s.spyer
            for s in self.truth.supervisions
            if s.of == "anyone"
            or (s.of == "customer" and s.reason == "moved" and self._unseen(s.started, s.ended))
        }
        for true in self.truth.supervisions:
            seen_early = self._unseen(true.started - ATTACH_MS, true.started)
            if true.spyer in lost or seen_early or self._unseen(true.started, true.ended):
                unsure.append(true)
                continue
            row = rows.pop(by_start.get((true.spyer, true.started), ""), None)
            if row is None:
                self._say("a supervision is lost", true, None)
                continue
            self.exact += 1
            told = sorted(segments[row["id"]], key=lambda s: s["n"])
            wanted = _supervision(true)
            if self._unseen(true.since, true.started):
                wanted["means"] = row["means"]  # nobody saw how it came about
            self._same("supervision", wanted, _supervision_row(row, told))
        self._unsure_supervisions(unsure, list(rows.values()), lost)

    def _unsure_supervisions(
        self, truths: list[Supervision], rows: list[Row], lost: set[str]
    ) -> None:
        """Each is one row, whose window has the truth in it; more than one truth may have become
        one row where somebody moved on unseen."""
        matched: set[str] = set()
        for true in truths:
            mine = [row for row in rows if row["spyer"] == true.spyer and self._meet(true, row)]
            matched |= {row["id"] for row in mine}
            heard = [s for s in true.segments if not self._hidden(s.started, s.ended)]
            if not any(s.type != "Barge-Kick" for s in heard):
                continue  # nobody looked while it was a spy: then they are two people in a call
            self.windows += 1
            if not mine:
                self._say("a supervision is lost about an outage", true, None)
                continue
            named = [row for row in mine if row["agent_endpoint"] == true.agent]
            if true.of == "anyone" or true.spyer in lost:
                continue  # whom a prefix spy turned to meanwhile, Asterisk does not tell
            if len(named) != 1:
                self._say("not one row about an outage", true, mine)
                continue
            self._window(true, heard, named[0])
        for row in rows:
            if row["id"] not in matched:
                self._say("a supervision is invented", None, row)

    def _window(self, true: Supervision, heard: list[Segment], row: Row) -> None:
        """`heard`: those of its segments that could be seen. A spy that waited for its next call
        when it was found is a supervision from that call on."""
        first, types = heard[0], [s.type for s in heard]
        strongest = max(types, key=STRENGTH.index)
        begun_as = [s.type for s in true.segments]  # which is all that Status tells of a keypad's
        seen = row["type"] == strongest or (row["type"] in begun_as and true.keypad)
        begins = self._begins(true, first, row)
        if true.ended is None:
            ends = row["ended"] is None
        elif row["ended_exact"]:
            ends = row["ended"] == true.ended and row["end_reason"] == true.reason
        else:
            ends = row["ended_after"] <= true.ended <= row["ended"]
            ends = ends and row["end_reason"] in GONE
        supervisor = row["supervisor_endpoint"] == true.supervisor
        if not (seen and begins and ends and supervisor):
            self._say(f"about an outage: type {seen}, begin {begins}, end {ends}", true, row)

    def _meet(self, true: Supervision, row: Row, slack_ms: int = 0) -> bool:
        return (row["ended"] is None or row["ended"] >= true.started) and (
            true.ended is None or row["started"] <= true.ended + slack_ms
        )

    # -- calls --------------------------------------------------------------------------

    def _calls(self) -> None:
        rows = {(row["call_id"]): row for row in self.ledger["calls"]}
        if len(rows) != len(self.ledger["calls"]):
            self.wrong.append("a Call ID has two rows")
        for true in self.truth.calls:
            row = rows.pop(true.of["call"], None)
            if self._hidden(true.started, true.ended):
                if row is not None and self._surely_hidden(true.started, true.ended):
                    self._say("a call that nobody saw has a row", true, row)
                continue
            if row is None:
                if not self._dialled_nobody(true):
                    self._say("a call is lost", true, None)
                continue
            if self._unseen(true.started, true.ended):
                self.windows += 1
                self._call_window(true, row)
                continue
            self.exact += 1
            if true.ended is None:
                self._same("open call", _begun(true), {k: row[k] for k in _begun(true)})
            else:
                self._same("call", _call(true), {k: row[k] for k in _call(true)})
        for row in rows.values():
            self._say("a call is invented", None, row)

    def _dialled_nobody(self, true: Call) -> bool:
        """One that came last, or just before nobody could see it any more, may not have yet."""
        return true.answered is None and (
            true.ended is None
            or any(a - ATTACH_MS <= true.started and true.ended <= b for a, b in self.gaps)
        )

    def _call_window(self, true: Call, row: Row) -> None:
        begins = (
            row["started"] == true.started
            if row["started_exact"]
            else row["started"] >= true.started - 1000  # Asterisk tells a channel's age in seconds
        )
        if true.ended is None:
            ends = row["ended"] is None
        elif row["ended_exact"]:
            ends = row["ended"] == true.ended
            ends = ends and (row["result"] == true.result or not self._told(true.ended))
        else:
            ends = row["ended_after"] <= true.ended <= row["ended"]
        if not (begins and ends and row["campaign"] == true.of["campaign"]):
            self._say(f"call about an outage: begin {begins}, end {ends}", true, row)

    def _told(self, at: int) -> bool:
        """Whether what was true at that moment is known."""
        return True

    def _same(self, what: str, true: Row, row: Row) -> None:
        different = {k: (v, row.get(k)) for k, v in true.items() if row.get(k) != v}
        if different:
            self._say(f"{what}: {different}", true, row)


def _supervision(true: Supervision) -> Row:
    found = {
        "supervisor": true.supervisor,
        "agent": true.agent,
        "type": max((s.type for s in true.segments), key=STRENGTH.index),
        "sure": True,
        "means": true.means,
        "ended": true.ended,
        "reason": true.reason,
        "segments": [
            (s.type, s.spyee, s.started, s.ended, *(_labels(s.of) if s.ended else ()))
            for s in true.segments
        ],
    }
    if true.ended is not None:
        heard = sum((s.ended or 0) - s.started for s in true.segments)
        found["length_ms"] = true.ended - true.started
        found["waiting_ms"] = true.ended - true.started - heard
    return found


def _labels(of: Row) -> tuple[object, ...]:
    return (of["call"], of["number"], of["campaign"], of["list"], of["result"] or None)


def _supervision_row(row: Row, segments: list[Row]) -> Row:
    labels = ("call_id", "number", "campaign", "list", "result")
    return {
        "supervisor": row["supervisor_endpoint"],
        "agent": row["agent_endpoint"],
        "type": row["type"],
        "sure": not row["at_least"]
        and row["started_exact"]
        and row["ended_exact"]
        and all(s["started_exact"] and s["ended_exact"] and not s["at_least"] for s in segments),
        "means": row["means"],
        "ended": row["ended"],
        "reason": row["end_reason"],
        "length_ms": row["length_ms"],
        "waiting_ms": row["waiting_ms"],
        "segments": [
            (
                s["type"],
                s["spyee"],
                s["started"],
                s["ended"],
                *((s[k] for k in labels) if s["ended"] else ()),
            )
            for s in segments
        ],
    }


def _begun(true: Call) -> Row:
    return {
        "started": true.started,
        "started_exact": True,
        "answered": true.answered,
        "ended": None,
        "direction": true.of["direction"],
        "campaign": true.of["campaign"],
        "list": true.of["list"],
    }


def _call(true: Call) -> Row:
    return {
        **_begun(true),
        "agent_endpoint": true.agent,
        "number": true.of["number"],
        "queue": true.of["queue"],
        "result": true.result,
        "ended": true.ended,
        "ended_exact": True,
        "end_reason": "call ended",
    }
