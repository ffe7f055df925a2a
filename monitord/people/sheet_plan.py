"""What a sheet would make of the roster, line by line, before anything is done.

Pure. Columns that a file does not have stay as they are; an empty cell of one that it has means
empty.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, tzinfo

import msgspec
from msgspec import Struct

from monitord.people import editing, sheet
from monitord.people.editing import carries_rights, id_for
from monitord.people.roster import Ownership, Person, Roster, Team
from monitord.people.rules import LATEST, RosterError, faults, is_endpoint
from monitord.people.sheet import COLUMNS, Fault, Line, cells_of, parts
from monitord.people.words import Cadence, What

FAULTS_MOST = 500
"""Faults that are told; there may be more."""

_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


class Step(Struct, frozen=True):
    """What one line does."""

    line: int
    id: str
    name: str
    what: What
    changes: dict[str, tuple[str, str]]
    """By column: the cell as it is and as it would be."""
    taken: tuple[str, ...] = ()
    """Endpoints that were somebody else's, with their name."""


class Plan(Struct, frozen=True):
    """What a file would do. Without faults, ``roster`` is what it would make."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    more_faults: bool
    teams: tuple[str, ...]
    """Names of teams that it would make."""
    roster: Roster | None


class Options(Struct, frozen=True):
    at: int
    """ms UTC: from when on an endpoint is given where the line does not say since when."""
    zone: tzinfo
    """Of dates without a time."""
    new_teams: bool = False
    """Make teams that do not exist."""
    rights: bool = False
    """Whoever asks may also change what others are allowed."""


def plan(roster: Roster, data: bytes, options: Options) -> Plan:
    """What the file would do to the roster; nothing is done."""
    return _Planning(roster, options).plan(data)


class _Planning:
    def __init__(self, roster: Roster, options: Options) -> None:
        self._roster = roster
        self._options = options
        self._faults: list[Fault] = []
        self._people: dict[str, Person] = dict(roster.people)
        self._teams: dict[str, Team] = dict(roster.teams)
        self._new_teams: list[str] = []
        self._known = {o.id for o in roster.owned}
        self._owned: dict[str, list[Ownership]] = {}
        """By endpoint."""
        self._had: dict[str, set[str]] = {}
        """Endpoints by whose they are before anything is done."""
        self._owner: dict[str, str] = {}
        """And the other way round."""
        for own in roster.owned:
            self._owned.setdefault(own.endpoint, []).append(own)
            if own.at(options.at):
                self._had.setdefault(own.person, set()).add(own.endpoint)
                self._owner[own.endpoint] = own.person

    def plan(self, data: bytes) -> Plan:
        read, self._faults = sheet.read(data)
        ids = self._ids(read)
        by_team = {t.name.casefold(): t.id for t in self._teams.values()}
        names = Counter(line.cells["name"].casefold() for line in read if line.cells.get("name"))
        names.update(
            p.name.casefold() for p in self._roster.people.values() if p.id not in ids.values()
        )
        leaders = {p.name.casefold(): p.id for p in self._roster.people.values()}
        for line in read:
            if line.line in ids and line.cells.get("name"):
                leaders[line.cells["name"].casefold()] = ids[line.line]
        lines_of = {person: line for line, person in ids.items()}
        for line in read:
            if line.line in ids:
                self._person(line, ids[line.line], by_team)
        for line in read:
            if line.line in ids:
                self._leader(line, ids[line.line], leaders, names)
        taken = self._endpoints([line for line in read if line.line in ids], ids)
        made = self._made()
        if not self._faults:
            found = list(faults(made))
            here = [f for f in found if f.about in lines_of]
            for fault in here or found:  # of somebody whom the file does not name only if need be
                self._fault(lines_of.get(fault.about or ""), fault.field, fault.rule)
        steps = tuple(self._step(line, ids[line.line], taken) for line in read if line.line in ids)
        self._faults = list(dict.fromkeys(self._faults))
        self._faults.sort(key=lambda f: (f.line or 0, f.column or ""))
        return Plan(
            steps=steps,
            faults=tuple(self._faults[:FAULTS_MOST]),
            more_faults=len(self._faults) > FAULTS_MOST,
            teams=tuple(self._new_teams),
            roster=made if not self._faults else None,
        )

    def _fault(self, line: int | None, column: str | None, rule: str) -> None:
        self._faults.append(Fault(line, column, rule))

    # --- people --------------------------------------------------------------------------

    def _ids(self, read: list[Line]) -> dict[int, str]:
        """Whom each line is about."""
        found: dict[int, str] = {}
        there = {p.name.casefold(): p.id for p in self._roster.people.values()}
        fresh: set[str] = set()
        given = {line.cells["id"] for line in read if line.cells.get("id")}
        used: set[str] = set()
        for line in read:
            wanted, name = line.cells.get("id", ""), line.cells.get("name", "")
            if wanted:
                if wanted in used:
                    self._fault(line.line, "id", f"{wanted!r} stands in another line as well")
                    continue
            elif not name:
                self._fault(line.line, "name", "must be given where there is no id")
                continue
            elif name.casefold() in there:
                rule = f"there is somebody of that name, give their id: {there[name.casefold()]}"
                self._fault(line.line, "id", rule)
                continue
            elif name.casefold() in fresh:
                rule = "the name stands in another line as well; give each an id"
                self._fault(line.line, "id", rule)
                continue
            else:
                fresh.add(name.casefold())
                wanted = id_for(name, self._roster.people.keys() | given | used)
            if wanted not in self._roster.people and not name:
                self._fault(line.line, "name", f"there is nobody {wanted!r}; give a name")
                continue
            used.add(wanted)
            found[line.line] = wanted
        return found

    def _person(self, line: Line, person_id: str, by_team: dict[str, str]) -> None:
        old = self._roster.people.get(person_id)
        new = old or Person(person_id, line.cells["name"])
        texts = line.cells
        changed: dict[str, object] = {}
        if texts.get("name") or (old is not None and "name" in texts):
            changed["name"] = texts["name"]
        if "team" in texts:
            changed["team"] = self._team(line, texts["team"], by_team)
        for name, usual in (("agent", False), ("active", True)):
            if name in texts:
                changed[name] = self._truth(line, name, usual)
        for name in ("hired", "email"):
            if name in texts:
                changed[name] = texts[name] or None
        if "cadence" in texts:
            changed["cadence"] = self._cadence(line)
        if "account_codes" in texts:
            changed["account_codes"] = tuple(parts(texts["account_codes"]))
        new = msgspec.structs.replace(new, **changed)
        self._people[person_id] = new
        if old is not None and not self._options.rights and carries_rights(old):
            for name in ("team", "active"):
                if getattr(old, name) != getattr(new, name):
                    rule = "has a role that goes with it; only who gives roles may change this"
                    self._fault(line.line, name, rule)

    def _team(self, line: Line, text: str, by_team: dict[str, str]) -> str | None:
        if not text:
            return None
        if text in self._teams:
            return text
        known = by_team.get(text.casefold())
        if known is None and self._options.new_teams:
            known = id_for(text, self._teams)
            self._teams[known] = Team(known, text)
            by_team[text.casefold()] = known
            self._new_teams.append(text)
        if known is None:
            self._fault(line.line, "team", f"there is no team {text!r}")
        return known

    def _truth(self, line: Line, column: str, usual: bool) -> bool:
        text = line.cells[column].lower()
        if text and text not in (*_YES, *_NO):
            self._fault(line.line, column, "must be yes or no")
        return text in _YES if text else usual

    def _cadence(self, line: Line) -> Cadence | None:
        text = line.cells["cadence"].lower()
        if text and text not in list(Cadence):
            self._fault(line.line, "cadence", f"must be one of: {', '.join(Cadence)}")
            return None
        return Cadence(text) if text else None

    def _leader(
        self, line: Line, person_id: str, leaders: dict[str, str], names: Counter[str]
    ) -> None:
        text = line.cells.get("leader")
        if text is None:
            return
        leader: str | None = None
        if text in self._people:
            leader = text
        elif text and names[text.casefold()] > 1:
            self._fault(line.line, "leader", f"there are several {text!r}; give the id")
        elif text:
            leader = leaders.get(text.casefold())
            if leader is None:
                self._fault(line.line, "leader", f"there is nobody {text!r}")
        person = self._people[person_id]
        self._people[person_id] = msgspec.structs.replace(person, leader=leader)

    # --- endpoints -----------------------------------------------------------------------

    def _endpoints(self, read: list[Line], ids: dict[int, str]) -> dict[str, list[str]]:
        """Gives, by person, the endpoints that were another's, with the other's name."""
        taken: dict[str, list[str]] = {}
        wanted: dict[str, int] = {}
        for line in read:
            person = ids[line.line]
            had = self._had.get(person, set())
            if not self._people[person].active:
                if line.cells.get("endpoints"):
                    self._fault(line.line, "endpoints", "somebody who has left has none")
                self._end(person, had)
                continue
            if "endpoints" not in line.cells:
                continue
            since = self._since(line)
            endpoints = set(parts(line.cells["endpoints"]))
            self._end(person, had - endpoints)
            for endpoint in sorted(endpoints):
                if not is_endpoint(endpoint):
                    rule = f"{endpoint!r} does not look like PJSIP/1001"
                    self._fault(line.line, "endpoints", rule)
                elif endpoint in wanted:
                    rule = f"{endpoint} stands in line {wanted[endpoint]} as well"
                    self._fault(line.line, "endpoints", rule)
                elif endpoint not in had or line.cells.get("since"):
                    wanted[endpoint] = line.line
                    self._give(line, endpoint, person, since, taken)
                else:
                    wanted[endpoint] = line.line
        return taken

    def _give(
        self, line: Line, endpoint: str, person: str, since: int, taken: dict[str, list[str]]
    ) -> None:
        own = self._owned.get(endpoint, [])
        before = self._owner.get(endpoint, person)
        if before != person:
            other = self._people[before].name
            taken.setdefault(person, []).append(f"{endpoint} ({other})")
        try:
            self._owned[endpoint] = editing.given(own, endpoint, person, since)
        except RosterError as error:
            self._fault(line.line, "endpoints", error.rule)

    def _end(self, person: str, endpoints: set[str]) -> None:
        for endpoint in endpoints:
            own = [o for o in self._owned[endpoint] if o.person == person]
            others = [o for o in self._owned[endpoint] if o.person != person]
            self._owned[endpoint] = others + editing.ends(own, self._options.at)

    def _since(self, line: Line) -> int:
        text = line.cells.get("since", "")
        if not text:
            return self._options.at
        try:
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                at = at.replace(tzinfo=self._options.zone)
            since = round(at.timestamp() * 1000)
        except (ValueError, OverflowError):
            since = -1
        if not 0 <= since <= LATEST:
            rule = "must be a date such as 2026-03-31, or with a time 2026-03-31T08:00"
            self._fault(line.line, "since", rule)
            return self._options.at
        return since

    # --- the result ----------------------------------------------------------------------

    def _made(self) -> Roster:
        made = Roster(
            people=dict(sorted(self._people.items())), teams=dict(sorted(self._teams.items()))
        )
        return editing.owned_by(made, [o for own in self._owned.values() for o in own])

    def _step(self, line: Line, person_id: str, taken: dict[str, list[str]]) -> Step:
        old, new = self._roster.people.get(person_id), self._people[person_id]
        had = self._had.get(person_id, set())
        possible = had | set(parts(line.cells.get("endpoints", "")))
        places = [o for e in possible for o in self._owned.get(e, []) if o.person == person_id]
        # Also those that are given from a later date on.
        theirs = [o.endpoint for o in places if o.until is None or o.until > self._options.at]
        before = cells_of(old, sorted(had)) if old is not None else {}
        after = cells_of(new, theirs)
        if any(o.id not in self._known for o in places):
            after["since"] = line.cells.get("since", "")
        changes = {
            column: (before.get(column, ""), after[column])
            for column in COLUMNS
            if column != "id" and before.get(column, "") != after[column]
        }
        what: What = "new" if old is None else "changed" if changes else "same"
        return Step(line.line, person_id, new.name, what, changes, tuple(taken.get(person_id, ())))
