"""A site with two teams, a house and telephones that are nobody's; and what each of its people may,
said once more in the tests' own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitord.people.permissions import GRANTS, OWN, UNSCOPED, Permission, Role, Scope
from tests.kit.daemon import password_hash

AGENTS = {
    **{f"alpha-{n}": f"PJSIP/100{n}" for n in range(1, 7)},
    **{f"beta-{n}": f"PJSIP/101{n}" for n in range(1, 7)},
}
SUPERVISORS = {
    "sue": "PJSIP/2001",
    "lea": "PJSIP/2002",
    "bob": "PJSIP/2003",
    "ben": "PJSIP/2004",
}
TEAMS = {
    "alpha": frozenset({"sue", "lea", "qal", *(a for a in AGENTS if a.startswith("alpha"))}),
    "beta": frozenset({"bob", "ben", *(a for a in AGENTS if a.startswith("beta"))}),
}
REPORTS = {"lea": frozenset({"alpha-1", "beta-1"})}
"""By their leader, who leads one of another team as well."""

AGENTS_AT_ALL, SUPERVISORS_AT_ALL = 20, 8
"""Of the simulated centre: some telephones are nobody's."""


@dataclass(frozen=True)
class Viewer:
    """Somebody who signs in, and what they may see, without a look at how the product does it."""

    login: str
    role: Role
    scope: Scope | None = None

    def has(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]

    def whom(self, permission: Permission) -> frozenset[str] | None:
        """Ids of the people; None for everybody."""
        if not self.has(permission):
            return frozenset()
        scope = GRANTS[self.role][permission]
        if self.scope is not None and permission not in UNSCOPED | OWN:
            scope = self.scope
        mine = {self.login}
        if scope is Scope.ALL:
            return None
        if scope is Scope.SELF:
            return frozenset(mine)
        mine |= REPORTS.get(self.login, frozenset())
        if scope is Scope.TEAM:
            for team in TEAMS.values():
                mine |= team if self.login in team else frozenset()
        return frozenset(mine)

    def reaches(self, permission: Permission, *people: str | None) -> bool:
        """One of them at least."""
        whom = self.whom(permission)
        return whom is None or any(p in whom for p in people if p is not None)

    def number(self, number: str) -> str:
        if self.has("number.see"):
            return number
        return "•••" + (number[-2:] if len(number) > 4 else "")

    def sees(self, entity: dict[str, Any]) -> dict[str, Any] | None:
        """An entity of the stream as they are to get it, None where they are not."""
        agent = (entity.get("agent") or {}).get("id")
        match entity["kind"]:
            case "agent":
                return entity if self.reaches("agent.see", entity["party"]["id"]) else None
            case "call":
                if not self.reaches("call.see", agent):
                    return None
                value = entity["number"]
                if value is None:
                    return entity
                return {**entity, "number": {**value, "value": self.number(value["value"])}}
            case "supervision":
                if not self.reaches("supervision.see", agent, entity["supervisor"]["id"]):
                    return None
                return entity if self.reaches("call.see", agent) else {**entity, "call": None}
            case "alert":
                reached = self.reaches("supervision.see", agent, entity["supervisor"]["id"])
                return entity if reached and self.has("alert.see") else None
            case "flag":
                mine = self.role is Role.AGENT and agent == self.login and entity["visible"]
                return entity if mine or self.reaches("flag.see", agent) else None
            case "notice":
                return entity if self.role is Role.AGENT and agent == self.login else None
        return entity


VIEWERS = (
    Viewer("adm", Role.ADMINISTRATOR),
    Viewer("ina", Role.QA_MANAGER),
    Viewer("qal", Role.QA_MANAGER, Scope.TEAM),
    Viewer("sue", Role.SUPERVISOR),
    Viewer("bob", Role.SUPERVISOR),
    Viewer("lea", Role.SUPERVISOR, Scope.REPORTS),
    Viewer("aud", Role.AUDITOR),
    Viewer("alpha-1", Role.AGENT),
)


def name_of(person: str) -> str:
    """As no other text holds it."""
    return f"{person.upper()} the person"


def people() -> str:
    """For the settings' file."""
    logins = {v.login: v for v in VIEWERS}
    lines: list[str] = []
    for person in dict.fromkeys([*logins, *AGENTS, *SUPERVISORS]):
        lines += ["[[people]]", f'id = "{person}"', f'name = "{name_of(person)}"']
        viewer = logins.get(person)
        if viewer is not None:
            lines += [f'login = "{person}"', f'password_hash = "{password_hash()}"']
            lines += [f'role = "{viewer.role}"']
            lines += [f'scope = "{viewer.scope}"'] if viewer.scope else []
        endpoint = {**AGENTS, **SUPERVISORS}.get(person)
        lines += [f'endpoints = ["{endpoint}"]'] if endpoint else []
        lines += ["agent = true"] if person in AGENTS else []
        lines += [f'team = "{t}"' for t, members in TEAMS.items() if person in members]
        lines += [f'leader = "{b}"' for b, led in REPORTS.items() if person in led]
    return "\n".join(lines)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in what JSON told, without the names of the fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
