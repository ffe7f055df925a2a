"""The small rules: types from options, endpoints from channel names, settings' look-ups."""

from __future__ import annotations

import pytest

from monitord.domain.endpoint import endpoint_of
from monitord.domain.site import Directory, Person, Site
from monitord.domain.spy import parse
from monitord.domain.words import SpyType

MONITOR, COACH, BARGE = SpyType.MONITOR, SpyType.COACH, SpyType.BARGE


@pytest.mark.parametrize(
    ("application", "data", "kind", "switchable", "exits", "exact"),
    [
        pytest.param("ChanSpy", "PJSIP/1001", MONITOR, False, False, False, id="no options"),
        pytest.param("ChanSpy", "", MONITOR, False, False, False, id="everybody"),
        pytest.param("ChanSpy", "PJSIP/1001,qw", COACH, False, False, False, id="whisper"),
        pytest.param("ChanSpy", "PJSIP/1001,W", COACH, False, False, False, id="whisper, deaf"),
        pytest.param("ChanSpy", "PJSIP/1001,qwB", BARGE, False, False, False, id="barge first"),
        pytest.param("ChanSpy", "1.2,uqES", MONITOR, False, True, True, id="by uniqueid"),
        pytest.param("ChanSpy", "1.2,uqEdS", MONITOR, True, True, True, id="by keypad"),
        pytest.param("ChanSpy", "1.2,dX", MONITOR, False, False, False, id="X takes d away"),
        pytest.param("ChanSpy", ",g(wB)q", MONITOR, False, False, False, id="letters of a group"),
        pytest.param("ChanSpy", ",n(1@wB)v(4)w", COACH, False, False, False, id="after arguments"),
        pytest.param("ChanSpy", ",g(wB", MONITOR, False, False, False, id="an open parenthesis"),
        pytest.param("ExtenSpy", "1001@agents,Bu", BARGE, False, False, False, id="no u there"),
        pytest.param("DAHDIScan", "1,wB", MONITOR, False, False, False, id="has no options"),
    ],
)
def test_spy_options(
    application: str, data: str, kind: SpyType, switchable: bool, exits: bool, exact: bool
) -> None:
    spec = parse(application, data)
    assert spec is not None
    assert spec.type is kind
    assert (spec.switchable, spec.exits, spec.exact) == (switchable, exits, exact)


@pytest.mark.parametrize("application", ["Dial", "", "chanspy", "MixMonitor"])
def test_not_a_spy(application: str) -> None:
    assert parse(application, "PJSIP/1001,wB") is None


@pytest.mark.parametrize(
    ("channel", "endpoint"),
    [
        ("PJSIP/1001-0000002a", "PJSIP/1001"),
        ("PJSIP/10011-0000002a", "PJSIP/10011"),
        ("PJSIP/front-desk-0000002a", "PJSIP/front-desk"),
        ("PJSIP/front-deadbeef-0000002a", "PJSIP/front-deadbeef"),
        ("Local/9@agents-00000001;1", "Local/9@agents"),
        ("Local/9@agents-00000001;2", "Local/9@agents"),
        ("SIP/1001-00000abc123", "SIP/1001"),
        ("PJSIP/1001", "PJSIP/1001"),
        ("", ""),
    ],
)
def test_endpoint(channel: str, endpoint: str) -> None:
    assert endpoint_of(channel) == endpoint


def test_people_go_before_names_of_queues() -> None:
    site = Site(
        people=(
            Person("ann", "Ann", ("PJSIP/1001",), ("acc1",), agent=True),
            Person("sue", "Sue", ("PJSIP/2001",)),
        ),
        agent_patterns=("PJSIP/1*", "PJSIP/2*"),
        variables={"CAMPAIGN": "campaign"},
        wrap_up_s={"support": 20, "*": 5},
    )
    directory = Directory("pbx1", site)
    assert directory.party("PJSIP/1001", "Agent 1001").name == "Ann"
    assert directory.party("PJSIP/1002", "Agent 1002").id == "pbx1/PJSIP/1002"
    assert directory.party("PJSIP/1002", "Agent 1002").name == "Agent 1002"
    assert directory.party("PJSIP/1002").name == "PJSIP/1002"
    assert directory.is_agent("PJSIP/1002") and not directory.is_agent("PJSIP/2001")
    assert directory.by_account == {"acc1": "PJSIP/1001"}
    assert site.label_of("__CAMPAIGN") == site.label_of("CAMPAIGN") == "campaign"
    assert site.label_of("CARD") is None
    assert [site.wrap_up_of(q, own) for q, own in (("support", 0), ("x", 0), ("x", 9))] == [
        20,
        5,
        9,
    ]
