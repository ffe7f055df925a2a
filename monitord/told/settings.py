"""The tables ``[told]`` and ``[reason]`` of the settings, and the policy that they make."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct, field

from monitord.domain.words import SpyType, Telling
from monitord.people.permissions import OF_TYPE
from monitord.told.rules import Ask, OfType, Policy, Says

TEAMS_MOST = 1_000
DELAY_MOST_MS = 90 * 24 * 3_600_000

T = TypeVar("T")

Supervising = Literal["Monitor", "Coach", "Barge", "Barge-Kick"]
TeamId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]

_UNITS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 24 * 3_600_000}


class SettingError(Exception):
    """``key`` and the rule that it breaks."""

    def __init__(self, key: str, rule: str) -> None:
        super().__init__(f"{key}: {rule}")
        self.key, self.rule = key, rule


class _Table(Struct, forbid_unknown_fields=True, frozen=True):
    pass


class ToldTeam(_Table, frozen=True):
    """Of one team's agents; what is missing is as it is for everybody."""

    when: Telling | dict[Supervising, Telling] | None = None
    delay: str | None = None
    who: bool | None = None
    reason: bool | None = None


class Told(_Table, frozen=True):
    """When an agent is told of supervisions on them."""

    when: Telling | dict[Supervising, Telling] = Telling.NEVER
    """For every type, or by type; "never" for those that are missing."""
    delay: str = ""
    """For "delayed": how long after the end, such as "24 h"."""
    who: bool = False
    """The agent sees who it was."""
    reason: bool = False
    """The agent sees the reason that was given."""
    teams: Annotated[dict[TeamId, ToldTeam], Meta(max_length=TEAMS_MOST)] = field(
        default_factory=dict
    )


class ReasonTeam(_Table, frozen=True):
    ask: Ask | dict[Supervising, Ask]


class Reason(_Table, frozen=True):
    """When a reason is asked for."""

    ask: Ask | dict[Supervising, Ask] = "never"
    """For every type, or by type; "never" for those that are missing."""
    teams: Annotated[dict[TeamId, ReasonTeam], Meta(max_length=TEAMS_MOST)] = field(
        default_factory=dict
    )


def policy_of(told: Told, reason: Reason) -> Policy:
    """
    Raises:
        SettingError: a value breaks its rule.
    """
    asks: dict[SpyType, Ask] = _by_type(reason.ask, "never")
    teams: dict[str, OfType] = {}
    for name in {**told.teams, **reason.teams}:
        own, asked = told.teams.get(name, ToldTeam()), reason.teams.get(name)
        merged = Told(
            when=_merged(told.when, own.when),
            delay=told.delay if own.delay is None else own.delay,
            who=told.who if own.who is None else own.who,
            reason=told.reason if own.reason is None else own.reason,
        )
        of_team = dict(asks)
        if asked is not None:
            own_asks: dict[SpyType, Ask] = _by_type(asked.ask, None)
            of_team |= own_asks
        key = "told" if own.delay is None and own.when is None else f"told.teams.{name}"
        teams[name] = _says(key, merged, of_team)
    return Policy(_says("told", told, asks), teams)


def _merged(
    general: Telling | dict[Supervising, Telling],
    own: Telling | dict[Supervising, Telling] | None,
) -> Telling | dict[Supervising, Telling]:
    if own is None:
        return general
    if not isinstance(own, dict):
        return own
    named: dict[Supervising, Telling] = {}
    for kind, telling in _by_type(general, Telling.NEVER).items():
        named[kind.value] = telling  # type: ignore[index] # the four types are its keys
    return {**named, **own}


def _by_type(given: T | dict[Supervising, T], missing: T | None) -> dict[SpyType, T]:
    if isinstance(given, dict):
        found = {SpyType(name): value for name, value in given.items()}
        if missing is not None:
            found = {**dict.fromkeys(OF_TYPE, missing), **found}
        return found
    return dict.fromkeys(OF_TYPE, given)


def _says(key: str, table: Told, asks: dict[SpyType, Ask]) -> OfType:
    tellings = _by_type(table.when, Telling.NEVER)
    delay = milliseconds(f"{key}.delay", table.delay) if table.delay else 0
    if Telling.DELAYED in tellings.values() and not delay:
        raise SettingError(f"{key}.delay", 'is missing, but "delayed" needs it')
    return {
        kind: Says(tellings[kind], delay, table.who, table.reason, asks[kind]) for kind in OF_TYPE
    }


def milliseconds(key: str, text: str) -> int:
    """A length such as "24 h".

    Raises:
        SettingError: it is none, or too long.
    """
    match = re.fullmatch(r"([0-9]{1,7}) ?(s|min|h|d)", text)
    if match is None:
        raise SettingError(key, 'must be a length such as "90 s", "30 min", "24 h" or "2 d"')
    length = int(match[1]) * _UNITS[match[2]]
    if not 0 < length <= DELAY_MOST_MS:
        raise SettingError(key, "must be longer than nothing and at most 90 d")
    return length
