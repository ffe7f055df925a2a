"""One call with what there is to tell about it over its time."""

from __future__ import annotations

from msgspec import Struct

from monitord.api.wire.flags import FlagShown
from monitord.api.wire.history import CallRow, Gap, StatusRow
from monitord.api.wire.recordings import Recording
from monitord.api.wire.scores import ScoreShown
from monitord.domain.views import Party
from monitord.domain.words import Provenance, SpyType


class CallSegment(Struct, frozen=True):
    """Part of a supervision, on this call, with one type."""

    n: int
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    started: int
    started_exact: bool
    ended: int | None
    """Null while it runs."""
    ended_exact: bool


class CallSupervision(Struct, frozen=True):
    """What somebody supervised of this call."""

    id: str
    supervisor: Party
    segments: list[CallSegment]


class CallPart(Struct, frozen=True):
    """An agent who had the call before another one took it."""

    agent: Party | None
    """Null where it is somebody whose calls whoever asks may not see."""
    started: int
    ended: int
    exact: bool
    """False: nobody saw when it changed hands; it was found so at ``ended``."""


class CallDetail(Struct, frozen=True):
    call: CallRow
    supervisions: list[CallSupervision]
    """In the order in which they came to it."""
    parts: list[CallPart]
    """Agents who had it before its last one, in their order."""
    statuses: list[StatusRow]
    """Of the agent's telephone, of those that overlap the call, the first one first."""
    flags: list[FlagShown]
    """Those that whoever asks may see, the first made first."""
    scores: list[ScoreShown]
    """The customer's, the latest first, which counts; none for who may not see them."""
    recordings: list[Recording]
    """The first one first; empty where nothing recorded it."""
    gaps: list[Gap]
    """Times within the call in which its PBX could not be seen, the first one first."""
    complete: bool
    """False: there is more than is given here."""
