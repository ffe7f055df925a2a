"""What is wrong with a supervision and what is done about it, judged without a PBX."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.alerts.listing import Entry, Listing, digits, listing_of
from monitord.alerts.rules import (
    Finding,
    Heard,
    Policy,
    alert_id,
    judge,
    never_monitor,
    no_right,
    open_question,
)
from monitord.domain.views import Party, Supervision
from monitord.domain.words import AlertKind, Provenance, SpyType, SupervisionState
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
    return no_right(view, ROSTER.people.get(who), ROSTER.rights_of(who))


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
    assert found is not None and found.why == "Sue may use Coach, but not on this agent."
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
    for kind in AlertKind:
        assert open_question(supervision("sue", U, "ann"), kind)
        assert not open_question(supervision("sue", M, "ann"), kind)
    # Whoever it is: somebody pays, or the customer's number is on the list.
    unknown = supervision("sue", M, None)
    assert [k for k in AlertKind if open_question(unknown, k)] == [AlertKind.NO_RIGHT]


def test_what_the_site_wants() -> None:
    coach = Finding(AlertKind.NO_RIGHT, C, False, True, "")
    unknown = msgspec.structs.replace(coach, type=U)
    assert not Policy().ends(coach)
    by_type = Policy({C: "end", M: "alert"})
    assert by_type.ends(coach) and not by_type.ends(unknown)
    assert not by_type.ends(msgspec.structs.replace(coach, type=M))
    every = Policy(dict.fromkeys(OF_TYPE, "end"))
    assert every.ends(unknown)
    assert not every.ends(msgspec.structs.replace(unknown, certain=False))


# --- nobody may ----------------------------------------------------------------------------


def entry(n: int, **of: str) -> Entry:
    return Entry(id=f"{n:020x}", reason=f"reason {n}", by_id="max", by_name="Max", at=n, **of)  # type: ignore[arg-type]


LISTING = listing_of([entry(1, person="ann"), entry(2, number="5551234"), entry(3, person="cat")])


@pytest.mark.parametrize(
    ("agent", "heard", "why"),
    [
        pytest.param("tom", Heard(), None, id="nobody"),
        pytest.param("tom", Heard("5550000", frozenset({"tom", "sue"})), None, id="others"),
        pytest.param("ann", Heard(), "Nobody may listen to this agent: reason 1.", id="the agent"),
        pytest.param(
            *("ann", Heard(None, frozenset({"ann"})), "Nobody may listen to this agent: reason 1."),
            id="said once",
        ),
        pytest.param(
            *("tom", Heard(None, frozenset({"tom", "cat"}))),
            "Nobody may listen to somebody on this call: reason 3.",
            id="at the other end",
        ),
        pytest.param(
            *("tom", Heard("+555 12-34"), "Nobody may listen to this customer: reason 2."),
            id="the number",
        ),
        pytest.param(
            *(None, Heard("5551234"), "Nobody may listen to this customer: reason 2."),
            id="whoever the agent is",
        ),
        pytest.param(
            *("ann", Heard("5551234")),
            "Nobody may listen to this agent: reason 1. "
            "Nobody may listen to this customer: reason 2.",
            id="both",
        ),
        pytest.param("tom", Heard("55512345"), None, id="a longer number"),
        pytest.param("tom", Heard("sip:"), None, id="no digits"),
        pytest.param("tom", Heard(""), None, id="no number"),
    ],
)
def test_who_is_listed(agent: str | None, heard: Heard, why: str | None) -> None:
    found = never_monitor(supervision("all", M, agent), heard, LISTING)
    assert (found.why if found is not None else None) == why


def paid(view: Supervision) -> Supervision:
    return msgspec.structs.replace(view, payment=True)


def test_a_payment_is_nobodys_to_hear() -> None:
    for who in ("all", "tom", "lab/PJSIP/2009"):
        kinds = [
            f.kind for f in judge(paid(supervision(who, M, "ann")), None, ROSTER.rights_of(who))
        ]
        assert AlertKind.PAYMENT in kinds
    assert judge(supervision("all", M, "ann"), None, ROSTER.rights_of("all")) == []


ends = st.sampled_from(["alert", "end"])
policies = st.builds(
    Policy,
    st.dictionaries(st.sampled_from(list(OF_TYPE)), ends),
    st.booleans(),
    never_monitor=ends,
    payment=ends,
)
people = st.sampled_from([*ROSTER.people, "lab/PJSIP/1001"])
views = st.builds(
    lambda who, kind, agent, at_least, pays: msgspec.structs.replace(
        supervision(who, kind, agent, at_least=at_least), payment=pays
    ),
    *(people, st.sampled_from(list(SpyType)), st.none() | people, st.booleans(), st.booleans()),
)
numbers = st.text("0123456789+-() ", max_size=12)
heards = st.builds(Heard, st.none() | numbers, st.frozensets(people, max_size=3))
listings = st.builds(
    listing_of,
    st.lists(
        st.builds(lambda p: entry(1, person=p), people)
        | st.builds(lambda n: entry(2, number=digits(n)), numbers.filter(digits)),
        max_size=4,
    ),
)


@given(views, heards, listings, policies)
def test_each_kind_is_judged_by_its_own(
    view: Supervision, heard: Heard, listing: Listing, policy: Policy
) -> None:
    who = view.supervisor.id
    found = judge(view, ROSTER.people.get(who), ROSTER.rights_of(who), heard, listing)
    kinds = [f.kind for f in found]
    assert len(set(kinds)) == len(kinds), "one of each kind at most"
    assert len({alert_id(view.id, f) for f in found}) == len(found)
    assert (AlertKind.PAYMENT in kinds) == view.payment
    heard_people = heard.people | ({view.agent.id} if view.agent is not None else set())
    listed = bool(heard_people & set(listing.people)) or digits(heard.number) in listing.numbers
    assert (AlertKind.NEVER_MONITOR in kinds) == listed
    for finding in found:
        assert (finding.type, finding.at_least) == (view.type, view.at_least)
        assert finding.why.endswith((".", "!", "?"))
        if finding.kind is AlertKind.NEVER_MONITOR:
            assert finding.certain
            assert policy.ends(finding) == (policy.never_monitor == "end")
            number = digits(heard.number)
            assert len(number) < 2 or number not in finding.why, "not everybody may see it"
        elif finding.kind is AlertKind.PAYMENT:
            assert finding.certain and policy.ends(finding) == (policy.payment == "end")
        elif not finding.certain:
            assert not policy.ends(finding)


@given(views, heards, listings)
def test_who_has_every_right_is_told_of_the_rest(
    view: Supervision, heard: Heard, listing: Listing
) -> None:
    """The list and a payment bind those as well to whom nothing is forbidden."""
    may_all = judge(view, ROSTER.people["all"], ROSTER.rights_of("all"), heard, listing)
    nothing = judge(view, None, ROSTER.rights_of("nobody"), heard, listing)
    assert [f for f in nothing if f.kind is not AlertKind.NO_RIGHT] == may_all


@given(st.text(max_size=20), st.text(max_size=20))
def test_numbers_are_compared_by_their_digits(one: str, other: str) -> None:
    bare = [c for c in one if c in "0123456789"]
    assert digits(one) == "".join(bare) == digits(digits(one))
    assert digits(one + other) == digits(one) + digits(other)


def test_ids() -> None:
    missing = Finding(AlertKind.NO_RIGHT, K, False, True, "")
    assert alert_id("0f", missing) == "0f.barge-kick", "as before there were other kinds"
    listed = msgspec.structs.replace(missing, kind=AlertKind.NEVER_MONITOR)
    assert alert_id("0f", listed) == "0f.never-monitor.barge-kick"
    payment = msgspec.structs.replace(missing, kind=AlertKind.PAYMENT)
    assert alert_id("0f", payment) == "0f.payment.barge-kick"
