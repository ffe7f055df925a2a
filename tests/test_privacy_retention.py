"""What is older than the site keeps it is removed; what is held, what runs and the audit log's own
rows never are; and no clock that jumps removes anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monitord.api.keys import AUDIT, FLAGS, PRIVACY
from monitord.app import Running
from monitord.audit.entry import Actor
from monitord.audit.keys import open_keys
from monitord.domain.words import AnswerKind, FlagState, Polarity
from monitord.flags.store import AnswerRow, FlagRow
from monitord.privacy.retention import Retention, Run
from monitord.privacy.rules import DAY_MS, Keep
from tests.kit import privacy as kit
from tests.kit.client import Client
from tests.kit.flagged import Past
from tests.kit.ledger import read_audit
from tests.kit.records import alias, call, gap, part, segment, status, supervision
from tests.kit.roster import editor, quiet
from tests.kit.stores import Store

KEEP = Keep(supervisions=30, calls=30, agent_status=10, gaps=20)
HOUR_MS = 3_600_000


@dataclass
class Moved:
    """A clock, and one that nobody puts right."""

    wall: int
    mono: int = 1_000_000

    def pass_(self, days: float) -> None:
        self.wall += round(days * DAY_MS)
        self.mono += round(days * DAY_MS)


@dataclass
class Here:
    daemon: Running
    store: Store
    clock: Moved
    max_: Client

    def retention(self, keep: Keep = KEEP, **more: Any) -> Retention:
        """As at a start of the daemon at this moment."""
        privacy, clock = self.daemon.web[PRIVACY], self.clock
        return Retention(
            *(privacy.engine, self.daemon.web[AUDIT], keep),
            clock=lambda: clock.wall,
            steady=lambda: clock.mono,
            **more,
        )

    def ids(self, table: str) -> set[str]:
        return {r["id"] for r in self.store.read(f'SELECT id FROM "{table}"')}

    async def holds(self, kind: str, value: str) -> str:
        body = {"kind": kind, "value": value, "reason": "a suit"}
        status_, made = await kit.ask(self.max_, "POST", "/privacy/holds", body)
        assert status_ == 201, made
        return str(made["id"])

    async def lifts(self, hold: str) -> None:
        assert (await kit.ask(self.max_, "POST", f"/privacy/holds/{hold}/lift", {}))[0] == 200


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    """Rows of each kind, one ended every ten days, and one of each that runs since long ago."""
    async with quiet(tmp_path, store) as daemon, editor(daemon.url) as max_:
        now = max(r["at"] for r in store.read("SELECT at FROM audit"))
        clock = Moved(now)
        rows: list[Any] = []
        for n, days in enumerate((45, 35, 25, 15, 5), 1):
            at = now - days * DAY_MS
            given = {"started": at - 60_000, "ended": at, "pbx": "old"}
            phone = call(n, number=f"+4930{n}000{n}", call_id=f"7.{n}", length_ms=9, **given)
            owner = supervision(n, length_ms=9, **given)
            on = {"call": phone.id, "call_id": phone.call_id, "number": phone.number}
            rows += [phone, alias(f"8.{n}", phone), part(phone), owner]
            rows += [segment(owner, 1, started=at - 60_000, ended=at, **on)]
            rows += [status(n, length_ms=9, **given)]
            rows += [gap(n, started=at - 60_000, ended=at, pbx="old")]
        began = {"started": now - 90 * DAY_MS, "pbx": "old"}
        rows += [call(9, number="+493099", **began), supervision(9, **began), status(9, **began)]
        daemon.recorder.take(rows)
        await daemon.recorder.settled()
        yield Here(daemon, store, clock, max_.client)


def numbered(make: Callable[..., Any], *numbers: int) -> set[str]:
    return {make(n).id for n in numbers}


async def test_by_kind_and_by_age(here: Here) -> None:
    forgotten: list[str] = []
    retention = here.retention(forget=forgotten.extend)
    done = await retention.once()
    assert done == Run(
        here.clock.wall, {"supervision": 2, "call": 2, "agent_status": 4, "gap": 3}, ""
    )
    assert here.ids("supervision") == numbered(supervision, 3, 4, 5, 9)
    assert here.ids("call") == numbered(call, 3, 4, 5, 9)
    assert here.ids("agent_status") == numbered(status, 5, 9)
    assert here.ids("gap") >= numbered(gap, 4, 5) and not here.ids("gap") & numbered(gap, 1, 2, 3)
    assert len(here.ids("segment")) == 3
    for of_calls in ("call_alias", "call_part"):
        assert len(here.store.read(f"SELECT * FROM {of_calls}")) == 3
    assert set(forgotten) == numbered(supervision, 1, 2)
    assert kit.proved(here.store).fault is None
    said = [r for r in read_audit(here.store, whole=True) if r["action"] == "apply retention"]
    assert {(r["detail"]["kind"], r["detail"]["rows"]) for r in said} == {*done.rows.items()}
    # Keys of numbers of which no row is left are gone, those of the others are not.
    keys = open_keys(here.store.keys, make=False)
    try:
        left = await keys.numbers()
        assert left == {keys.number(f"+4930{n}000{n}") for n in (3, 4, 5)}
    finally:
        keys.close()
    assert await retention.last() == done
    here.clock.pass_(10.5)
    assert (await retention.once()).rows == {
        "supervision": 1,
        "call": 1,
        "agent_status": 1,
        "gap": 1,
    }
    assert kit.proved(here.store).fault is None
    count = here.store.read("SELECT count(*) AS n, max(n) AS last FROM audit")[0]
    assert count["n"] == count["last"], "no row of the audit log was removed"


async def test_unset_is_for_ever(here: Here) -> None:
    here.clock.pass_(10_000)
    done = await here.retention(Keep(gaps=20)).once()
    assert done.rows.keys() == {"gap"}
    assert (
        len(here.ids("supervision")) == len(here.ids("call")) == len(here.ids("agent_status")) == 6
    )


@pytest.mark.parametrize(
    ("kind", "value", "supervisions", "calls", "statuses"),
    [
        ("all", "", {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}),
        ("person", "sue", {1, 2, 3, 4, 5}, set(), set()),
        ("person", "ann", {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}),
        ("supervision", supervision(2).id, {2}, {2}, set()),
        ("call", "7.3", {3}, {3}, set()),
        ("number", "0049-30 1 0001", set(), set(), set()),
        ("number", "(4930) 1-0001", {1}, {1}, set()),
    ],
)
async def test_a_hold_stops_the_clock_for_what_it_is_on(
    here: Here,
    kind: str,
    value: str,
    supervisions: set[int],
    calls: set[int],
    statuses: set[int],
) -> None:
    hold = await here.holds(kind, value)
    here.clock.pass_(1_000)
    retention = here.retention()
    await retention.once()
    assert here.ids("supervision") == numbered(supervision, 9, *supervisions)
    assert len(here.ids("segment")) == len(supervisions)
    assert here.ids("call") == numbered(call, 9, *calls)
    assert here.ids("agent_status") == numbered(status, 9, *statuses)
    assert kit.proved(here.store).fault is None
    await here.lifts(hold)
    await retention.once()
    assert here.ids("supervision") == numbered(supervision, 9)
    assert here.ids("call") == numbered(call, 9)
    assert kit.proved(here.store).fault is None


@pytest.mark.parametrize(("kind", "value"), [("person", "ann"), ("number", "+4930100001")])
async def test_a_hold_keeps_nothing_of_others(here: Here, kind: str, value: str) -> None:
    """Nor rows in which nobody, or no number, is known."""
    ended = {"started": here.clock.wall - 60_000, "ended": here.clock.wall, "length_ms": 9}
    nobody = {"agent_id": None, "agent_name": None, "agent_endpoint": None}
    rows = [supervision(7, **ended, **nobody), call(7, number=None, **ended, **nobody)]
    here.daemon.recorder.take([*rows, supervision(8, agent_id="bob", **ended)])
    await here.daemon.recorder.settled()
    await here.holds(kind, value)
    here.clock.pass_(1_000)
    await here.retention().once()
    assert not here.ids("supervision") & numbered(supervision, 7, 8)
    assert not here.ids("call") & numbered(call, 7)
    assert kit.proved(here.store).fault is None


async def flagged(here: Here, keeper: str = "sue") -> None:
    """On each call: one that was reviewed a minute after its end, with what it said before and an
    answer; and one that nobody has talked about."""
    store = here.daemon.web[FLAGS].store
    by = Actor(keeper, "Sue Supervisor")
    for n, days in enumerate((45, 35, 25, 15, 5), 1):
        at = here.clock.wall - days * DAY_MS
        for name in ("a", "b"):
            flag = FlagRow(
                id=f"{name}{n:019x}",
                pbx="old",
                call=call(n).id,
                call_id=f"7.{n}",
                agent_id="ann",
                agent_name="Ann Agent",
                agent_endpoint="PJSIP/1001",
                by_id=keeper,
                by_name="Sue Supervisor",
                polarity=Polarity.GOOD,
                comment="She let him finish.",
                wanted="",
                themes=(),
                moment=None,
                offset_ms=None,
                state=FlagState.OPEN,
                made=at,
                visible=True,
            )
            await store.make(flag)
            new = replace(flag, comment="She let him finish, twice.", changed=at)
            await store.edit(flag, new, by)
            await store.answer(
                new,
                AnswerRow(
                    id=f"{flag.id}.1",
                    flag=flag.id,
                    agent_id="ann",
                    kind=AnswerKind.ACKNOWLEDGEMENT,
                    text="",
                    at=at,
                ),
                Actor("ann", "Ann Agent"),
            )
            if name == "a":
                done = replace(new, state=FlagState.REVIEWED, settled=at, settled_by_id=keeper)
                await store.settle("review flag", new, done, by)


def flags(*numbers: int, name: str = "a") -> set[str]:
    return {f"{name}{n:019x}" for n in numbers}


OPEN = flags(1, 2, 3, 4, 5, name="b")


async def test_flags_go_after_they_were_talked_about(here: Here) -> None:
    await flagged(here)
    done = await here.retention(Keep(flags=30)).once()
    assert done == Run(here.clock.wall, {"flag": 2}, "")
    assert here.ids("flag") == OPEN | flags(3, 4, 5)
    for of_it in ("flag_version", "flag_answer"):
        left = {r["flag"] for r in here.store.read(f"SELECT flag FROM {of_it}")}
        assert left == here.ids("flag"), of_it
    here.clock.pass_(1_000)
    await here.retention(Keep(flags=30)).once()
    assert here.ids("flag") == OPEN, "what nobody has talked about is not lost in the daily noise"
    assert kit.proved(here.store).fault is None


async def test_holds_keep_flags(here: Here) -> None:
    await flagged(here)
    here.clock.pass_(1_000)
    retention = here.retention(Keep(calls=30, flags=30))
    for kind, value in (("all", ""), ("person", "ann"), ("person", "sue")):
        hold = await here.holds(kind, value)
        # else sue's would be of calls that are gone
        await here.retention(Keep(flags=30)).once()
        assert here.ids("flag") == OPEN | flags(1, 2, 3, 4, 5), (kind, value)
        await here.lifts(hold)
    some = [
        await here.holds(kind, value)
        for kind, value in (
            ("number", "(4930) 1-0001"),
            ("supervision", supervision(2).id),
            ("call", "7.3"),
        )
    ]
    await retention.once()
    assert here.ids("flag") == OPEN | flags(1, 2, 3)
    for hold in some:
        await here.lifts(hold)
    await retention.once()
    assert here.ids("flag") == OPEN
    assert kit.proved(here.store).fault is None


@pytest.mark.fault("clock jump ±1 h, DST, NTP step")
@pytest.mark.parametrize("hours", [-2, 2, 24 * 365 * 10])
async def test_a_clock_that_was_put_forward_or_back(here: Here, hours: int) -> None:
    """Since the start: nothing is removed, and the page says why, until the next start."""
    retention = here.retention()
    here.clock.wall += hours * HOUR_MS
    done = await retention.once()
    assert done.rows == {} and "the clock was put" in done.why
    assert len(here.ids("supervision")) == 6
    shown = (await kit.ask(here.max_, "GET", "/privacy"))[1]
    assert (shown["last_run"]["why"], shown["last_run"]["rows"]) == (done.why, {})
    here.clock.wall -= hours * HOUR_MS
    assert (await retention.once()).rows["supervision"] == 2


@pytest.mark.fault("clock jump ±1 h, DST, NTP step")
async def test_a_clock_that_was_back_at_the_start(here: Here) -> None:
    here.clock.wall -= 2 * HOUR_MS
    done = await here.retention().once()
    assert (done.rows, done.why) == (
        {},
        "the clock says a time before the newest row of the audit log",
    )


async def test_what_is_removed_otherwise_is_found(here: Here) -> None:
    """Retention is no cover: not for a row that is younger, nor for more rows than it removed."""
    retention = here.retention()
    await here.holds("supervision", supervision(1).id)
    await retention.once()
    assert here.ids("supervision") == numbered(supervision, 1, 3, 4, 5, 9)
    key = supervision(1).id
    here.store.change(
        f"DELETE FROM segment WHERE supervision = '{key}'",
        f"DELETE FROM supervision WHERE id = '{key}'",
    )
    fault = kit.proved(here.store).fault
    assert fault is not None and "only 1 were removed by their age" in fault.what


async def test_a_part_of_what_is_still_there_is_missed(here: Here) -> None:
    await here.retention().once()
    here.store.change(f"DELETE FROM segment WHERE supervision = '{supervision(3).id}'")
    fault = kit.proved(here.store).fault
    assert fault is not None and "segment" in fault.what and "missing" in fault.what


async def test_it_does_nothing_where_nothing_is_set(here: Here) -> None:
    shown = (await kit.ask(here.max_, "GET", "/privacy"))[1]
    assert shown["kept"] == dict.fromkeys(
        ("supervisions", "calls", "agent_status", "gaps", "flags")
    )
    assert shown["last_run"] is None


async def test_scores_go_with_their_call_and_those_that_wait_by_their_age(here: Here) -> None:
    past, now = Past(here.store), here.clock.wall
    for n in (1, 3):
        await past.score(call(n).id, now, 400)
    for days in (45, 5):
        await past.score(f"9.{days}", now - days * DAY_MS, 100, tied=False)

    def left() -> set[str]:
        return {r["given"] for r in here.store.read("SELECT given FROM score")}

    hold = await here.holds("call", "7.1")
    await here.retention().once()
    assert left() == {call(1).id, call(3).id, "9.5"}
    await here.lifts(hold)
    done = await here.retention().once()
    assert left() == {call(3).id, "9.5"} and done.rows["call"] == 1
    await here.retention(Keep(supervisions=1)).once()
    assert left() == {call(3).id, "9.5"}, "without an age of calls nothing of them is old"
