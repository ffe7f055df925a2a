"""What a flag may be, and when its comment says too little. Pure."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from monitord.domain.ledger import CallRecord

SLACK_MS = 5_000
"""How far a moment may lie outside its call: a browser's clock, and the way of a key press."""

SHORT_WORDS = 5

_JUDGING = """
a again agent all always and are at awesome bad be best better call calls customer did do
done excellent fantastic fine for friendly from get good great he her him his improve in is
it job just keep more much must need needs nice not of ok okay on one perfect please poor
professional really rude she should so some super sure terrible that the their them they
this to tone too try up very was way well were with work wrong you your
"""
JUDGING = frozenset(_JUDGING.split())
"""Words that say how somebody found it, not what happened, and those that go with any of them."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Vagueness = Literal["short", "judges", "no moment"]


def vagueness(comment: str, *, moment: bool) -> list[Vagueness]:
    """Why somebody may not know a week later what this was about. Never a reason to refuse it.

    ``short``: fewer than five words. ``judges``: no word tells what happened, only how it was
    found. ``no moment``: it neither points at a moment nor quotes what was said.
    """
    words = [w.casefold() for w in _WORD.findall(comment)]
    found: list[Vagueness] = []
    if len(words) < SHORT_WORDS:
        found.append("short")
    if all(w in JUDGING for w in words):
        found.append("judges")
    if not moment and not re.search(r"[\"“”„«»]|\d", comment):
        found.append("no moment")
    return found


class Moment(Struct, frozen=True):
    """Where in a call something happened."""

    at: int
    """ms UTC."""
    offset_ms: int
    """From the start of the call."""


def moment_in(call: CallRecord, at: int, now: int) -> Moment | None:
    """None where ``at`` lies outside the call, by more than the slack."""
    end = now if call.ended is None else call.ended
    if not call.started - SLACK_MS <= at <= end + SLACK_MS:
        return None
    at = min(max(at, call.started), max(end, call.started))
    return Moment(at, at - call.started)
