"""From a spy application and its arguments to the type of a supervision.

Source: app_chanspy.c:395-454 (options), :830 and :852 (barge is tested before whisper),
:873-888 (``d`` works only without ``X``). The same in 16 and 22.
"""

from __future__ import annotations

import re

from msgspec import Struct

from monitord.domain.words import SpyType

SPY_APPLICATIONS = frozenset({"ChanSpy", "ExtenSpy", "DAHDIScan"})

_CHOOSY = frozenset("beg")
# Arguments in parentheses may contain letters that are options elsewhere: g(wB) is no whisper.
_ARGUMENT = re.compile(r"\([^)]*\)?")


class Spec(Struct, frozen=True):
    """What the arguments of a spy application say."""

    type: SpyType
    target: str
    """As given: a name prefix, or a uniqueid or full name with option ``u``."""
    exact: bool
    """Option ``u``: the target is one channel and not a prefix."""
    switchable: bool
    """Option ``d``: the supervisor may change the type by keypad and no event says so."""
    exits: bool
    """Option ``E``: the spy ends with the spied channel instead of waiting for another one."""
    choosy: bool
    """Options ``b``, ``e``, ``g``: it may wait although there is a channel that fits the target."""


def parse(application: str, data: str) -> Spec | None:
    """None where the application is no spy. ``data`` is Newexten's AppData or Status' Data."""
    if application not in SPY_APPLICATIONS:
        return None
    target, _, rest = data.partition(",")
    options = _ARGUMENT.sub("", rest) if application != "DAHDIScan" else ""
    if "B" in options:
        kind = SpyType.BARGE
    elif "w" in options or "W" in options:
        kind = SpyType.COACH
    else:
        kind = SpyType.MONITOR
    return Spec(
        type=kind,
        target=target,
        exact="u" in options and application == "ChanSpy",
        switchable="d" in options and "X" not in options,
        exits="E" in options,
        choosy=not _CHOOSY.isdisjoint(options),
    )
