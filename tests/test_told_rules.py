"""What an agent is told when, whatever comes in whatever order; and the settings that say so."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.config import ConfigError, load
from monitord.domain.ledger import NoticeRecord
from monitord.domain.words import SpyType, Telling
from monitord.people.permissions import OF_TYPE
from monitord.told.rules import Policy, Says, call_ended, judge, tell, unfinished
from tests.kit.records import supervision

U, M, C, B, K = SpyType
HOUR = 3_600_000


def policy(**by_type: Says) -> Policy:
    return Policy({SpyType(name.replace("_", "-")): says for name, says in by_type.items()})


SAYS = st.builds(
    Says,
    telling=st.sampled_from(Telling),
    delay_ms=st.integers(1, 90 * 24 * HOUR),
    who=st.booleans(),
    why=st.booleans(),
)
POLICIES = st.builds(
    Policy,
    st.fixed_dictionaries(dict.fromkeys(OF_TYPE, SAYS)),
    st.dictionaries(
        st.sampled_from(["sales", "care"]), st.fixed_dictionaries(dict.fromkeys(OF_TYPE, SAYS))
    ),
)
STEP = st.fixed_dictionaries(
    {
        "later": st.integers(0, 48 * HOUR),
        "type": st.sampled_from(SpyType),
        "agent": st.sampled_from([None, "ann", "cas"]),
        "ended": st.booleans(),
        "call_over": st.booleans(),
        "team": st.sampled_from([None, "sales", "care"]),
    }
)


def lived(rules: Policy, steps: list[dict[str, Any]]) -> list[NoticeRecord | None]:
    """What the notice is after each step, as the daemon takes them: a row, the end of the call,
    or only time that passes. After its end a row comes no more."""
    now, notice, ended = 1_000_000, None, None
    found: list[NoticeRecord | None] = []
    for step in steps:
        now += step["later"]
        if ended is None:
            ended = now if step["ended"] else None
            given = {"agent_id": None, "agent_endpoint": None} if step["agent"] is None else {}
            row = supervision(1, type=step["type"], started=1_000_000, ended=ended, **given)
            over = step["call_over"]
            notice = judge(notice, row, step["team"], rules, call_over=over, now=now)
            assert notice is None or notice.ended == ended, "its end is the supervision's"
        elif notice is not None and step["call_over"]:
            notice = call_ended(notice, now)
        elif notice is not None:
            notice = tell(notice, now)
        found.append(notice)
    return found


@settings(max_examples=400, deadline=None)
@given(rules=POLICIES, steps=st.lists(STEP, min_size=1, max_size=12))
def test_what_was_told_stays_told_and_each_part_once(
    rules: Policy, steps: list[dict[str, Any]]
) -> None:
    before: NoticeRecord | None = None
    for notice in lived(rules, steps):
        if before is not None:
            assert notice is not None, "a notice never goes away"
            assert notice.type.strength >= before.type.strength
            for part in ("told_begun", "told_ended"):
                was = getattr(before, part)
                assert was is None or getattr(notice, part) == was, part
            if before.told_begun is not None:
                assert notice.who >= before.who and notice.why >= before.why
        if notice is not None:
            if notice.told_ended is not None:
                assert notice.ended is not None and notice.told_begun is not None
                assert notice.told_begun <= notice.told_ended
            if notice.told_begun is not None and notice.ended is not None:
                assert notice.told_ended is not None, "no end is kept back"
            told_when_due = notice.due is not None and notice.told_begun is not None
            assert not told_when_due or (notice.due or 0) <= (notice.told_begun or 0)
        before = notice


@settings(max_examples=300, deadline=None)
@given(rules=POLICIES, steps=st.lists(STEP, min_size=1, max_size=8))
def test_in_the_end_all_is_told_that_the_strongest_type_says(
    rules: Policy, steps: list[dict[str, Any]]
) -> None:
    """Ended, its call over and enough time gone by: nothing is left running."""
    # A row's type is the strongest so far, so it never goes down (SupervisionRecord).
    types = list(accumulate((s["type"] for s in steps), partial(max, key=lambda t: t.strength)))
    last = {"type": types[-1], "agent": "ann", "team": "sales", "call_over": True, "later": 0}
    rows = zip(steps, types, strict=True)
    steps = [*({**s, "type": t, "ended": False} for s, t in rows), {**last, "ended": True}]
    steps += [{**last, "ended": True}, {**last, "call_over": False, "later": 91 * 24 * HOUR}]
    steps[-1]["ended"] = True
    notice = lived(rules, steps)[-1]
    if rules.says("sales", types[-1]).telling is not Telling.NEVER:
        assert notice is not None
    if notice is not None:
        assert not unfinished(notice)
        never = notice.telling is Telling.NEVER
        assert (notice.told_ended is None) == (never and notice.told_begun is None)


@given(steps=st.lists(STEP, max_size=8))
def test_the_products_default_tells_nobody(steps: list[dict[str, Any]]) -> None:
    assert lived(Policy(), steps) == [None] * len(steps)


def begun(rules: Policy, kind: SpyType = C, **row: Any) -> NoticeRecord | None:
    made = supervision(1, type=kind, started=100, **row)
    return judge(None, made, None, rules, call_over=False, now=200)


def ended(rules: Policy, old: NoticeRecord | None, kind: SpyType = C, **more: Any) -> NoticeRecord:
    made = supervision(1, type=kind, started=100, ended=500, **more.pop("row", {}))
    given: dict[str, Any] = {"call_over": True, "now": 600, **more}
    notice = judge(old, made, None, rules, **given)
    assert notice is not None
    return notice


def test_start_and_end() -> None:
    rules = policy(Coach=Says(Telling.START_AND_END, who=True))
    notice = begun(rules)
    assert notice is not None and (notice.told_begun, notice.told_ended) == (200, None)
    assert notice.who and not notice.why
    done = ended(rules, notice)
    assert (done.told_begun, done.told_ended, done.due) == (200, 600, 200)


def test_after_the_call() -> None:
    rules = policy(Coach=Says(Telling.AFTER_CALL))
    notice = begun(rules)
    assert notice is not None and notice.told_begun is None
    waiting = ended(rules, notice, call_over=False)
    assert unfinished(waiting) and waiting.told_begun is None, "the call goes on"
    done = call_ended(waiting, 900)
    assert (done.told_begun, done.told_ended, done.due) == (900, 900, 900)
    assert call_ended(notice, 900) == notice, "its supervisor waits for the next one"
    at_once = ended(rules, notice)
    assert (at_once.told_begun, at_once.told_ended) == (600, 600)


def test_delayed() -> None:
    rules = policy(Coach=Says(Telling.DELAYED, delay_ms=1000))
    notice = begun(rules)
    assert notice is not None and notice.due is None
    done = ended(rules, notice)
    assert done.due == 1500 and done.told_begun is None and not unfinished(done)
    assert tell(done, 1499) == done
    assert (tell(done, 1500).told_begun, tell(done, 1500).told_ended) == (1500, 1500)


@pytest.mark.parametrize("later", [Telling.NEVER, Telling.DELAYED, Telling.AFTER_CALL])
def test_a_switch_of_type_un_tells_nothing(later: Telling) -> None:
    rules = policy(Monitor=Says(Telling.START_AND_END, who=True), Coach=Says(later, 9 * HOUR))
    notice = begun(rules, M)
    assert notice is not None and notice.told_begun == 200
    done = ended(rules, notice, C, call_over=False)
    assert (done.type, done.told_begun, done.told_ended, done.who) == (C, 200, 600, True)


def test_judged_by_the_strongest_type_so_far() -> None:
    rules = policy(Coach=Says(Telling.NEVER), Barge=Says(Telling.START_AND_END))
    assert begun(rules, C) is None
    notice = begun(rules, B)
    assert notice is not None and notice.started == 100 and notice.told_begun == 200
    rules = policy(Monitor=Says(Telling.AFTER_CALL), Coach=Says(Telling.NEVER))
    waiting = begun(rules, M)
    done = ended(rules, waiting, C)
    assert (done.telling, done.told_begun) == (Telling.NEVER, None)


def test_what_is_not_known_was_at_least_listening() -> None:
    rules = policy(Monitor=Says(Telling.START_AND_END), Coach=Says(Telling.NEVER))
    notice = begun(rules, U, at_least=True)
    assert notice is not None and notice.told_begun is not None
    assert (notice.type, notice.at_least) == (U, True)


def test_nobody_is_told_while_nobody_knows_whom() -> None:
    rules = policy(Coach=Says(Telling.START_AND_END))
    assert begun(rules, agent_id=None, agent_endpoint=None) is None


def test_by_team() -> None:
    rules = Policy(
        {C: Says(Telling.NEVER)}, {"sales": {C: Says(Telling.START_AND_END)}, "care": {}}
    )
    row = supervision(1, type=C)
    told = {
        team: judge(None, row, team, rules, call_over=False, now=1)
        for team in (None, "sales", "care", "unknown")
    }
    assert {team for team, notice in told.items() if notice is not None} == {"sales"}


# --- settings ------------------------------------------------------------------------------

PBX = '[[pbx]]\nid = "lab"\nsecret_env = "AMI"\n'


def loaded(folder: Path, text: str) -> Policy:
    path = folder / "monitord.toml"
    path.write_text(PBX + text)
    return load(path, {"AMI": "x" * 20}).telling


def test_settings_make_the_policy(tmp_path: Path) -> None:
    made = loaded(
        tmp_path,
        """
[told]
when = { Monitor = "delayed", Coach = "after the call" }
delay = "24 h"
who = true

[told.teams.sales]
when = { Barge = "start and end" }
reason = true

[told.teams.care]
when = "never"

[reason]
ask = { Barge = "required" }

[reason.teams.care]
ask = "asked"
""",
    )
    day = 24 * HOUR
    never = Telling.NEVER
    assert made.says(None, M) == Says(Telling.DELAYED, day, who=True)
    assert made.says(None, C) == Says(Telling.AFTER_CALL, day, who=True)
    assert made.says(None, B) == Says(never, day, who=True, ask="required")
    assert made.says(None, K) == Says(never, day, who=True)
    assert made.says("sales", M) == Says(Telling.DELAYED, day, who=True, why=True)
    assert made.says("sales", B).telling is Telling.START_AND_END
    assert made.says("sales", B).ask == "required"
    assert {made.says("care", k) for k in OF_TYPE} == {Says(never, day, who=True, ask="asked")}
    assert made.says("unknown", M) == made.says(None, M)
    assert loaded(tmp_path, "") == msgspec.structs.replace(made, everybody=SILENT, teams={})


SILENT = dict.fromkeys(OF_TYPE, Says())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[told]\nwhen = "later"\n', r"told\.when: .*later"),
        ('[told]\nwhen = { Spy = "never" }\n', r"told\.when: .*Spy"),
        ('[told]\nwhen = "delayed"\n', r"told\.delay: is missing"),
        ('[told]\nwhen = "delayed"\ndelay = "soon"\n', r"told\.delay: must be a length"),
        ('[told]\ndelay = "0 h"\n', r"told\.delay: must be longer than nothing"),
        ('[told]\ndelay = "91 d"\n', r"told\.delay: .*at most 90 d"),
        ("[told]\nhow = 1\n", r"told\.how: there is no such key"),
        ('[told.teams."a b"]\nwho = true\n', r"told\.teams"),
        ('[told.teams.a]\nwhen = "delayed"\n', r"told\.teams\.a\.delay: is missing"),
        ('[told.teams.a]\ndelay = "1 y"\n', r"told\.teams\.a\.delay: must be a length"),
        ('[reason]\nask = "please"\n', r"reason\.ask: .*please"),
        ("[reason.teams.a]\n", r"reason\.teams\S*ask: is missing"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        loaded(tmp_path, text)


WEBHOOK = '[[webhook]]\nurl = "{url}"\nsecret_file = "key"\nevents = ["notice"]\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (WEBHOOK.format(url="ftp://a/b"), r"webhook\[0\]\.url: must be an address"),
        (WEBHOOK.format(url="https://"), r"webhook\[0\]\.url: must be an address"),
        (WEBHOOK.format(url="https://a:99999/"), r"webhook\[0\]\.url: must be an address"),
        (WEBHOOK.format(url="https://a/ b"), r"webhook\[0\]\.url: must be an address"),
        (WEBHOOK.format(url="https://me:pw@a/"), r"webhook\[0\]\.url: .*name and a password"),
        (WEBHOOK.format(url="https://a/#b"), r"webhook\[0\]\.url: must be without a #"),
        (WEBHOOK.format(url="https://a") * 2, r"webhook\[1\]\.url: stands twice"),
        (
            WEBHOOK.format(url="https://a").replace('["notice"]', '["x"]'),
            r"webhook\[0\]\.events.*x",
        ),
        (WEBHOOK.format(url="https://a").replace('["notice"]', "[]"), r"webhook\[0\]\.events"),
        (WEBHOOK.format(url="https://a").replace('"key"', '"no"'), r"secret_file: .*cannot be"),
        (WEBHOOK.format(url="https://a").replace('"key"', '"short"'), "at least 16 characters"),
        ("".join(WEBHOOK.format(url=f"https://a/{n}") for n in range(11)), "webhook: .*10"),
    ],
)
def test_wrong_webhooks_are_named(tmp_path: Path, text: str, fault: str) -> None:
    for name, secret in (("key", "a secret for a test"), ("short", "x")):
        file = tmp_path / name
        file.touch(mode=0o600)
        file.write_text(secret + "\n")
    with pytest.raises(ConfigError, match=fault):
        loaded(tmp_path, text)
