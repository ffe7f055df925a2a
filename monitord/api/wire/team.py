"""The team view."""

from __future__ import annotations

from msgspec import Struct

from monitord.domain.views import Party
from monitord.domain.words import SpyType


class LastHeard(Struct, frozen=True):
    """The latest supervision on an agent."""

    by: Party
    type: SpyType
    """The strongest of its segments."""
    at_least: bool
    started: int
    ended: int | None
    """Null while it runs."""


class TeamAgent(Struct, frozen=True):
    """An agent of the team view, without what the stream tells."""

    id: str
    name: str
    team: str | None
    calls: int
    """Calls that began today."""
    supervised_ms: int
    """For how long they were under supervision today, up to ``at``. Two at once count twice; a
    supervisor's waiting between calls does not count."""
    last: LastHeard | None
    """Null where there never was one."""


class TeamName(Struct, frozen=True):
    id: str
    name: str


class TeamView(Struct, frozen=True):
    at: int
    begin: int
    """When today began."""
    teams: list[TeamName]
    """Of the agents that are here."""
    agents: list[TeamAgent]
