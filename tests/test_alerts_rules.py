"""Who may supervise whom in which way, judged without a PBX."""

from __future__ import annotations

import msgspec
import pytest

from monitord.alerts.rules import Finding, Policy, judge, open_question
from monitord.domain.views import Party, Supervision
from monitord.domain.words import Provenance, SpyType, SupervisionState
from monitord.people.permissions import OF_TYPE, Role, Scope
from monitord.people.roster import Given, Person, Roster, Team

U, M, C, B, K = SpyType


def person(person_id: str, team: str | None, role: Role | None = None, **more: object) -> Person:
    given = (Given(role, more.pop("scope", None)),) if role else ()  # type: ignore[arg-type]
    return Person(person_id, person_id.title(), team, roles=given, **more)  # type: ignore[arg-type]


ROSTER = Roster(
    {
        p.id: p
        for p in (
            person("ann", "sales"),
            person("cat", "care"),
            person("sue", "sales", Role.SUPERVISOR),
            person("all", None, Role.SUPERVISOR, scope=Scope.ALL),
            person("ina", None, Role.QA_MANAGER),
            person("max", None, Role.ADMINISTRATOR),
            person("old", "sales", Role.SUPERVISOR, active=False),
            person("tom", "sales"),
        )
    },
    {"sales": Team("sales", "Sales"), "care": Team("care", "Care")},
)


def supervision(
    who: str, kind: SpyType, agent: str | None, *, at_least: bool = False
) -> Supervision:
    return Supervision(
        id="0" * 20,
        pbx="lab",
        state=SupervisionState.ACTIVE,
        supervisor=Party(who, who.title(), "PJSIP/2001"),
        agent=None if agent is None else Party(agent, agent.title(), "PJSIP/1001"),
        agent_provenance=None,
        call=None,
        type=kind,
        at_least=at_least,
        type_provenance=Provenance.OBSERVED,
        means="dialplan",
        started=0,
        started_exact=True,
        since=0,
        disconnect_by=None,
    )


def look(who: str, kind: SpyType, agent: str | None, *, at_least: bool = False) -> Finding | None:
    view = supervision(who, kind, agent, at_least=at_least)
    return judge(view, ROSTER.people.get(who), ROSTER.rights_of(who))


@pytest.mark.parametrize("kind", list(OF_TYPE))
def test_each_type_needs_its_own_right(kind: SpyType) -> None:
    assert look("sue", kind, "ann") is None
    assert look("all", kind, "cat") is None and look("all", kind, "lab/PJSIP/1009") is None
    assert (look("ina", kind, "ann") is None) == (kind is M)
    for nobody in ("max", "tom", "old", "lab/PJSIP/2009"):
        found = look(nobody, kind, "ann")
        assert found is not None and found.certain and found.type is kind


def test_a_right_holds_on_those_in_reach() -> None:
    found = look("sue", C, "cat")
    assert found is not None and found.why == "Sue may use Coach, but not on Cat."
    found = look("sue", M, None)
    assert found is not None and "nobody knows who this one is" in found.why
    assert look("all", M, None) is None
    assert (look("sue", M, "lab/PJSIP/1009") or found).certain


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("ina", "Ina has no right to use Barge."),
        ("old", "Old has left."),
        ("lab/PJSIP/2001", "Nobody on the roster has the telephone PJSIP/2001."),
    ],
)
def test_why(who: str, why: str) -> None:
    found = look(who, B, "ann")
    assert found is not None and found.why == why


def test_at_least_is_judged_as_what_is_known() -> None:
    assert look("ina", M, "ann", at_least=True) is None
    found = look("ina", C, "ann", at_least=True)
    assert found is not None and found.at_least and found.certain


def test_of_an_unknown_type_only_what_holds_for_each_is_certain() -> None:
    assert look("sue", U, "ann") is None
    some = look("ina", U, "ann")
    assert some is not None and not some.certain
    none = look("tom", U, "ann")
    assert none is not None and none.certain
    elsewhere = look("sue", U, "cat")
    assert elsewhere is not None and elsewhere.certain


def test_what_is_still_to_be_learned() -> None:
    assert open_question(supervision("sue", U, "ann"))
    assert open_question(supervision("sue", M, None))
    assert not open_question(supervision("sue", M, "ann"))


def test_what_the_site_wants() -> None:
    coach = Finding(C, False, True, "")
    unknown = msgspec.structs.replace(coach, type=U)
    assert not Policy().ends(coach)
    by_type = Policy({C: "end", M: "alert"})
    assert by_type.ends(coach) and not by_type.ends(unknown)
    assert not by_type.ends(msgspec.structs.replace(coach, type=M))
    every = Policy(dict.fromkeys(OF_TYPE, "end"))
    assert every.ends(unknown)
    assert not every.ends(msgspec.structs.replace(unknown, certain=False))
