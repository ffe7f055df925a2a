"""Agents in somebody's reach, and who leads them, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitord.people.roster import Reach, Roster


def agents(roster: Roster, reach: Reach) -> set[str]:
    """Ids of those who are there."""
    return {p.id for p in roster.people.values() if p.agent and p.active and p.id in reach}


def names_of(roster: Roster, some: Iterable[str], noted: Mapping[str, str]) -> dict[str, str]:
    """As they are called now; who is not in the roster, as was noted."""
    people = roster.people
    return {who: people[who].name if who in people else noted[who] for who in some}


def by_name(some: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return sorted(some, key=lambda who: (names[who].casefold(), who))


def named(roster: Roster, some: Iterable[str], noted: Mapping[str, str]) -> list[tuple[str, str]]:
    """Id and name, in the order of the names."""
    names = names_of(roster, some, noted)
    return [(who, names[who]) for who in by_name(names, names)]


def leaders(roster: Roster, reach: Reach) -> list[tuple[str, str]]:
    """Who leads any of these agents."""
    led = {roster.people[agent].leader for agent in agents(roster, reach)}
    return named(roster, (p for p in led if p is not None and p in roster.people), {})
