"""What a sheet would make of the roster: nothing is done that the preview does not show."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.api.sheets import safe
from monitord.people import rules
from monitord.people.permissions import Role
from monitord.people.roster import Given, Ownership, Person, Roster, Team
from monitord.people.sheet import COLUMNS, LINES_MOST, lines
from monitord.people.sheet_plan import Options, Plan, plan
from monitord.people.words import Cadence

AT = 1_800_000_000_000
PEOPLE = [
    Person("ann", "Ann Agent", "sales", "sue", agent=True, hired="2026-03-31"),
    Person(
        "bob",
        "Bob Agent",
        account_codes=("7", "8"),
        cadence=Cadence.MONTHLY,
        email="bob@example.org",
    ),
    Person("sue", "Sue Supervisor", "sales", roles=(Given(Role.SUPERVISOR),)),
    Person("old", "Otto Old", active=False),
]
OLD = Roster(
    {p.id: p for p in PEOPLE},
    {"sales": Team("sales", "Sales")},
    (
        Ownership("1", "PJSIP/1001", "ann", 0),
        Ownership("2", "PJSIP/1002", "bob", 0),
        Ownership("3", "PJSIP/1003", "bob", 0, 500),
    ),
)


def planned(text: str | bytes, old: Roster = OLD, **options: Any) -> Plan:
    data = text.encode() if isinstance(text, str) else text
    return plan(old, data, Options(**{"at": AT, "zone": UTC, "rights": True, **options}))


def made(text: str | bytes, **options: Any) -> Roster:
    found = planned(text, **options)
    assert found.faults == () and found.roster is not None, found.faults
    rules.check(found.roster)
    return found.roster


def of(roster: Roster, wall: int = AT) -> dict[str, set[str]]:
    return {p.id: set(p.endpoints) for p in roster.known(wall) if p.endpoints}


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(delimiter: str, start: str, end: str) -> None:
    rows = [["Name", "endpoints"], ["Zoë “Z” New", "PJSIP/9|SIP/9"], ['"Q", or; not', ""]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    new = made(start + out.getvalue())
    assert new.people["zoe-z-new"].name == "Zoë “Z” New"
    assert new.people["q-or-not"].name == '"Q", or; not'
    assert of(new)["zoe-z-new"] == {"PJSIP/9", "SIP/9"}


def test_what_a_file_does_not_name_stays() -> None:
    new = made("id,hired\nann,\nbob,2026-01-02\n")
    assert new.people["ann"] == msgspec.structs.replace(OLD.people["ann"], hired=None)
    assert new.people["bob"] == msgspec.structs.replace(OLD.people["bob"], hired="2026-01-02")
    assert new.owned == OLD.owned and new.people["sue"] is OLD.people["sue"]


def test_each_line_says_what_it_does() -> None:
    found = planned(
        "id,name,team,leader,endpoints\n"
        "ann,Ann Agent,Sales,Sue Supervisor,PJSIP/1001\n"
        "\n"
        "bob,Bob Other,,sue,PJSIP/1002|PJSIP/1001x\n"
        ",Zoe New,sales,Bob Other,\n"
    )
    assert [(s.line, s.id, s.what, s.changes) for s in found.steps] == [
        (2, "ann", "same", {}),
        (
            *(4, "bob", "changed"),
            {
                "name": ("Bob Agent", "Bob Other"),
                "leader": ("", "sue"),
                "endpoints": ("PJSIP/1002", "PJSIP/1001x|PJSIP/1002"),
            },
        ),
        (
            *(5, "zoe-new", "new"),
            {
                "name": ("", "Zoe New"),
                "team": ("", "sales"),
                "leader": ("", "bob"),
                "agent": ("", "no"),
                "active": ("", "yes"),
            },
        ),
    ]


def test_endpoints_change_hands_and_are_swapped() -> None:
    found = planned("id,endpoints\nann,PJSIP/1002\nbob,PJSIP/1001\n")
    assert [s.taken for s in found.steps] == [
        ("PJSIP/1002 (Bob Agent)",),
        ("PJSIP/1001 (Ann Agent)",),
    ]
    assert found.roster is not None
    rules.check(found.roster)
    assert of(found.roster) == {"ann": {"PJSIP/1002"}, "bob": {"PJSIP/1001"}}
    assert of(found.roster, AT - 1) == of(OLD, AT - 1), "history stays right"
    late = made("id,endpoints,since\nsue,PJSIP/1001,2026-11-01\n", zone=ZoneInfo("Europe/Berlin"))
    midnight = 1_793_487_600_000  # in Berlin
    assert (of(late, midnight - 1).get("sue"), of(late, midnight)["sue"]) == (None, {"PJSIP/1001"})
    sooner = made("id,endpoints,since\nbob,PJSIP/1003,1970-01-01T00:00:00.700Z\n")
    assert of(sooner, 700)["bob"] == {"PJSIP/1002", "PJSIP/1003"}
    assert "PJSIP/1002" not in of(sooner)["bob"], "what is not listed is theirs no more"


def test_who_leaves_has_no_endpoints() -> None:
    new = made("id,active\nann,no\n")
    assert not new.people["ann"].active and "ann" not in of(new) and "ann" in of(new, AT - 1)
    back = made("id,active\nold,yes\n")
    assert back.people["old"].active


def test_teams_that_do_not_exist() -> None:
    text = "id,team\nann,Care & Co\nbob,care & co\n"
    assert [(f.line, f.column) for f in planned(text).faults] == [(2, "team"), (3, "team")]
    found = planned(text, new_teams=True)
    assert found.teams == ("Care & Co",) and found.roster is not None
    assert {p.team for p in found.roster.people.values()} >= {"care-co"}
    assert found.roster.teams["care-co"].name == "Care & Co"


FAULTS: dict[str, tuple[str | bytes, list[tuple[int | None, str | None, str]]]] = {
    "empty": ("", [(None, None, "is empty")]),
    "no-column-to-tell": ("team\nsales\n", [(1, "id", "is missing")]),
    "unknown-column": ("id,colour\nann,red\n", [(1, "colour", "no such column")]),
    "column-twice": ("id,name,name\nann,A,B\n", [(1, "name", "more than once")]),
    "not-utf-8": (b"name\nok\nZo\xeb\n", [(3, None, "UTF-8")]),
    "not-csv": ('name\nok\n"A"B\n', [(3, None, "not CSV")]),
    "never-closed": ('name\n"A\nB\n', [(2, None, "not CSV")]),
    "too-few-cells": ("id,name\nann\n", [(2, None, "1 cells")]),
    "cell-too-long": ("name\n" + "x" * 2_001 + "\n", [(2, "name", "2000")]),
    "name-too-long": ("name\n" + "x" * 101 + "\n", [(2, "name", "1 to 100")]),
    "control": ("name\nA\u202eB\n", [(2, "name", "control")]),
    "no-name": ("id,name\nnew,\n", [(2, "name", "nobody 'new'")]),
    "name-taken-away": ("id,name\nann,\n", [(2, "name", "1 to 100")]),
    "there-already": ("name\nann agent\n", [(2, "id", "give their id: ann")]),
    "name-twice": ("name\nA\na\n", [(3, "id", "another line")]),
    "id-twice": ("id,hired\nann,\nann,\n", [(3, "id", "another line")]),
    "bad-id": ("id,name\na b,A\n", [(2, "id", "letters")]),
    "no-leader": ("id,leader\nann,Nobody\n", [(2, "leader", "nobody")]),
    "leaders-in-a-ring": ("id,leader\nsue,ann\n", [(2, "leader", "own leader")]),
    "truth": ("id,agent\nann,perhaps\n", [(2, "agent", "yes or no")]),
    "email": ("id,email\nann,Jo <jo@example.org>\n", [(2, "email", "jo@example.org")]),
    "cadence": ("id,cadence\nann,daily\n", [(2, "cadence", "weekly, bi-weekly, monthly")]),
    "hired": ("id,hired\nann,31.3.2026\n", [(2, "hired", "2026-03-31")]),
    "code-of-another": ("id,account_codes\nann,8\n", [(2, "account_codes", "2 people")]),
    "endpoint": ("id,endpoints\nann,1001\n", [(2, "endpoints", "PJSIP/1001")]),
    "endpoint-twice": (
        "id,endpoints\nann,PJSIP/5\nbob,PJSIP/5\n",
        [(3, "endpoints", "line 2")],
    ),
    "left-with-endpoint": (
        "id,active,endpoints\nann,no,PJSIP/1001\n",
        [(2, "endpoints", "has left")],
    ),
    "since": ("id,endpoints,since\nann,PJSIP/5,soon\n", [(2, "since", "2026-03-31")]),
    "since-too-far": ("id,endpoints,since\nann,PJSIP/5,9999-01-01\n", [(2, "since", "2026-")]),
    "several": (
        "id,hired,agent\nann,x,perhaps\nbob,x,\nsue,,no\n",
        [(2, "agent", "yes or no")],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_line_column_and_rule(name: str) -> None:
    text, expected = FAULTS[name]
    found = planned(text)
    assert found.roster is None
    assert [(f.line, f.column) for f in found.faults] == [(li, c) for li, c, _ in expected]
    for fault, (_, _, rule) in zip(found.faults, expected, strict=True):
        assert rule in fault.rule


def test_bounds() -> None:
    many = "name\n" + "".join(f"N {n}\n" for n in range(LINES_MOST + 1))
    assert "20000" in planned(many).faults[0].rule
    assert "MB" in planned(b"x" * (4 << 20) + b"x").faults[0].rule
    told = planned("id,agent\n" + "".join(f"x{n},?\n" for n in range(600)))
    assert len(told.faults) == 500 and told.more_faults


def test_what_others_are_allowed_is_not_changed_by_a_sheet() -> None:
    """A supervisor's team is whom they may listen to."""
    found = planned("id,team,active\nsue,,no\nann,,yes\n", rights=False)
    assert [(f.line, f.column) for f in found.faults] == [(2, "active"), (2, "team")]
    assert planned("id,team,active\nsue,,no\nann,,yes\n").faults == ()
    assert made("id,name\nsue,Sue\n").people["sue"].roles == OLD.people["sue"].roles


def exported(roster: Roster) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for cells in lines(roster, AT):
        writer.writerow(safe(cells[c]) for c in COLUMNS)
    return out.getvalue()


def test_formulas_are_only_text() -> None:
    names = ["=1+1", "@SUM(A1)", "+44 20", "-cmd|x", "=HYPERLINK(“x”)"]
    text = "name\n" + "\n".join(names) + "\n"
    new = made(text)
    assert {p.name for p in new.people.values()} >= set(names)
    sheet = list(csv.DictReader(io.StringIO(exported(new))))
    assert {r["name"] for r in sheet} >= {f"'{n}" for n in names}
    found = planned(exported(new), new)
    assert found.faults == () and {s.what for s in found.steps} == {"same"}


words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(words, st.booleans(), st.booleans()), max_size=6))
def test_an_export_read_back_changes_nothing(some: list[tuple[str, bool, bool]]) -> None:
    people = {
        f"p{n}": Person(f"p{n}", name.strip().lstrip("'"), agent=agent, active=active)
        for n, (name, agent, active) in enumerate(some)
        if name.strip().lstrip("'").strip() == name.strip().lstrip("'") != ""
    }
    owned = tuple(
        Ownership(f"o{n}", f"PJSIP/{n}", key, 0)
        for n, key in enumerate(people)
        if people[key].active
    )
    roster = Roster(people, {}, owned)
    found = planned(exported(roster), roster)
    assert found.faults == () and found.roster == roster
    assert all(s.what == "same" for s in found.steps)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: f"id,name,{t}".encode()))
def test_no_file_breaks_it(data: bytes) -> None:
    found = planned(data)
    assert (found.roster is None) == bool(found.faults)
    if found.roster is not None:
        rules.check(found.roster)
