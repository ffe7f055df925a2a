"""Flags by the API, on a simulated call centre: made in the moment, kept, reviewed, answered, and
seen by those alone who may."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.api.keys import FLAGS
from tests.kit.centre import Centre, centre, until
from tests.kit.client import Client
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore, Store
from tests.kit.teams import AGENTS_AT_ALL, SUPERVISORS_AT_ALL, people

SAYS = "Let her finish at “I just want it cancelled”, then offered the refund unasked."


class Here:
    def __init__(self, made: Centre, clients: dict[str, Client]) -> None:
        self.made, self.clients = made, clients

    @property
    def calls(self) -> list[Any]:
        """Views of calls that talk now, with their agent."""
        shard = self.made.daemon.hub.shards["lab"]
        views = [c.view for c in shard.calls.values() if c.view is not None]
        return [v for v in views if v.agent is not None and v.answered is not None]

    async def call_of(self, *agents: str) -> Any:
        """A call of one of these, which is under way."""
        for _ in range(200):
            for view in self.calls:
                if view.agent.id in agents:
                    return view
            await self.made.advance(3)
        raise AssertionError(f"none of {agents} has a call")

    async def ask(
        self, login: str, method: str, path: str, body: Any = None
    ) -> tuple[int, dict[str, Any]]:
        given = {} if body is None else {"json": body}
        async with self.clients[login].http.request(method, f"/api/v1{path}", **given) as response:
            return response.status, await response.json()

    async def made_by(self, login: str, on: Any, **more: Any) -> dict[str, Any]:
        body = new(on) | more
        status, flag = await self.ask(login, "POST", "/flags", body)
        assert status == 201, flag
        return flag

    async def done(self, login: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, answer = await self.ask(login, method, path, body)
        assert status == 200, answer
        return answer

    async def ended(self, call: Any) -> None:
        for _ in range(300):
            if call.id not in self.made.daemon.hub.shards["lab"].calls:
                return
            await self.made.advance(3)
        raise AssertionError("the call did not end")


def new(call: Any) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(10),
        "call": call.call_id,
        "polarity": "good",
        "comment": SAYS,
        "moment": call.answered,
    }


ALPHA = tuple(f"alpha-{n}" for n in range(1, 7))
BETA = tuple(f"beta-{n}" for n in range(1, 7))


@asynccontextmanager
async def site(
    folder: Path, store: Store, extra: str = "", *, others: tuple[str, ...] = ()
) -> AsyncIterator[Here]:
    async with (
        centre(
            folder,
            store=store,
            extra=extra,
            people=people(),
            agents=AGENTS_AT_ALL,
            supervisors=SUPERVISORS_AT_ALL,
        ) as made,
        AsyncExitStack() as stack,
    ):
        clients: dict[str, Client] = {}
        for login in ("adm", "ina", "sue", "bob", "aud", "alpha-1", *others):
            clients[login] = await stack.enter_async_context(Client(made.daemon.url))
            assert await clients[login].sign_in(login) == 200
        yield Here(made, clients)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with site(tmp_path, SqliteStore.in_folder(tmp_path / "data")) as made:
        yield made


@pytest.fixture
async def either(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    """For what the database has a part in: on both."""
    async with site(tmp_path, store) as made:
        yield made


@pytest.mark.row("000-01", "000-02", "000-03")
async def test_good_and_bad_with_a_comment_on_a_call_id(here: Here) -> None:
    call = await here.call_of(*ALPHA)
    good = await here.made_by("sue", call)
    bad = await here.made_by("ina", call, polarity="bad", call=call.id)
    assert [good["polarity"], bad["polarity"]] == ["good", "bad"]
    assert good["comment"] == bad["comment"] == SAYS
    assert good["call"] == bad["call"] == call.id and good["call_id"] == call.call_id
    assert good["agent"]["id"] == call.agent.id
    assert (good["by"]["id"], bad["by"]["id"]) == ("sue", "ina"), "two people, the same call"
    found = await here.clients["ina"].get("/api/v1/flags", call=call.call_id)
    assert {f["id"] for f in found["rows"]} == {good["id"], bad["id"]}


@pytest.mark.row("000-06", "000-17", "000-18")
async def test_the_moment_and_what_is_wanted(here: Here) -> None:
    call = await here.call_of(*ALPHA)
    flag = await here.made_by("sue", call, wanted=" Offer the refund first. ", themes=["tone"])
    assert flag["moment"] == call.answered
    assert flag["offset_ms"] == flag["moment"] - call.started
    assert flag["wanted"] == "Offer the refund first." and flag["themes"] == ["tone"]
    none = await here.made_by("sue", call, moment=None)
    assert none["moment"] is None and none["offset_ms"] is None
    for moment in (call.started - 60_000, call.started + 86_400_000):
        status, why = await here.ask("sue", "POST", "/flags", new(call) | {"moment": moment})
        assert (status, why["field"]) == (400, "moment")


@pytest.mark.row("000-05", "000-21")
async def test_it_stays_when_the_call_ends(here: Here) -> None:
    call = await here.call_of(*ALPHA)
    async with here.clients["sue"].stream() as stream:
        flag = await here.made_by("sue", call)
        await stream.until(lambda s: flag["id"] in s.entities["flag"], "the flag")
        assert stream.entities["flag"][flag["id"]]["comment"] == SAYS
        await here.ended(call)
        await stream.level()
        assert flag["id"] in stream.entities["flag"], "also just after the call"
    detail = await here.clients["sue"].get(f"/api/v1/flags/{flag['id']}")
    assert detail["flag"] == flag
    late = await here.made_by("sue", call, comment="And afterwards, in the history, once more.")
    found = await here.clients["sue"].get("/api/v1/flags", call=call.call_id, state="open")
    assert [f["id"] for f in found["rows"]] == [late["id"], flag["id"]]


@pytest.mark.row("000-07", "000-54")
async def test_who_may(here: Here) -> None:
    call = await here.call_of("alpha-1")
    bad = await here.made_by("sue", call, polarity="bad")
    path = f"/flags/{bad['id']}"
    for login, status in (("adm", 403), ("alpha-1", 403), ("aud", 200), ("bob", 404)):
        assert (await here.ask(login, "GET", path))[0] == status, login
    for login, status in (("adm", 403), ("alpha-1", 403), ("aud", 403), ("bob", 404)):
        assert (await here.ask(login, "POST", "/flags", new(call)))[0] == status, login
    assert (await here.clients["bob"].get("/api/v1/flags"))["rows"] == []
    other = await here.call_of(*BETA)
    theirs = await here.made_by("bob", other)
    rows = (await here.clients["sue"].get("/api/v1/flags"))["rows"]
    assert theirs["id"] not in {f["id"] for f in rows}
    # what went wrong is never shared with anybody
    assert (await here.ask("sue", "POST", f"{path}/share"))[0] == 409
    async with here.clients["alpha-1"].stream() as stream:
        assert stream.of("flag") == []
        await here.made_by("sue", call)
        await stream.level()
        assert stream.of("flag") == [], "agents see none where the site says so"


@pytest.mark.row("000-19", "000-25", "000-52")
async def test_a_vague_comment_is_told_so_and_none_is_refused(here: Here) -> None:
    call = await here.call_of(*ALPHA)
    for comment in ("", "   ", "\n"):
        status, why = await here.ask("sue", "POST", "/flags", new(call) | {"comment": comment})
        assert (status, why["field"]) == (400, "comment")
    vague = await here.made_by("sue", call, comment="Great job!", moment=None)
    assert vague["vague"] == ["short", "judges", "no moment"], "saved all the same"
    assert (await here.made_by("sue", call))["vague"] == []
    looked = await here.done("sue", "POST", "/flags/look", {"comment": "Nice", "moment": True})
    assert looked == {"vague": ["short", "judges"]}


@pytest.mark.row("000-36", "000-37")
async def test_reviewed_and_taken_off_leave_the_queue(either: Here) -> None:
    call = await either.call_of(*ALPHA)
    one, two, three = [await either.made_by("sue", call) for _ in range(3)]
    sue = either.clients["sue"]

    async def queue() -> set[str]:
        found = await sue.get("/api/v1/flags", agent=call.agent.id, state="open")
        return {f["id"] for f in found["rows"]}

    assert await queue() == {one["id"], two["id"], three["id"]}
    done = await either.done("ina", "POST", f"/flags/{one['id']}/review")
    assert (done["state"], done["settled_by"]) == ("reviewed", "INA the person")
    status, _ = await either.ask("ina", "POST", f"/flags/{two['id']}/take-off", {})
    assert status == 403, "only whoever made it"
    gone = await either.done("sue", "POST", f"/flags/{two['id']}/take-off", {"why": "wrong call"})
    assert (gone["state"], gone["settled_why"]) == ("taken off", "wrong call")
    assert await queue() == {three["id"]}
    assert (await either.ask("sue", "POST", f"/flags/{one['id']}/review"))[0] == 409
    assert (await sue.get(f"/api/v1/flags/{two['id']}"))["flag"]["comment"] == SAYS, "it is kept"
    again = await either.done("sue", "POST", f"/flags/{one['id']}/reopen")
    assert again["state"] == "open" and await queue() == {one["id"], three["id"]}
    acts = [r for r in read_audit(either.made.store) if r["target"] == two["id"]]
    assert [r["action"] for r in acts] == ["flag call", "take off flag"]


async def test_an_edit_keeps_what_it_said(either: Here) -> None:
    call = await either.call_of(*ALPHA)
    flag = await either.made_by("sue", call)
    path = f"/flags/{flag['id']}"
    other = {"comment": "He read the terms aloud twice at 2:10.", "polarity": "bad"}
    changed = await either.done("sue", "PATCH", path, other)
    assert changed["comment"] == other["comment"] and changed["changed"] is not None
    assert (await either.ask("ina", "PATCH", path, other))[0] == 403
    versions = (await either.done("ina", "GET", path))["versions"]
    assert [(v["comment"], v["polarity"]) for v in versions] == [(SAYS, "good")]
    assert (await either.ask("sue", "PATCH", path, {"themes": ["nothing of ours"]}))[0] == 400
    same = await either.done("sue", "PATCH", path, other)
    assert same["changed"] == changed["changed"], "nothing was different"
    acts = [r for r in read_audit(either.made.store) if r["target"] == flag["id"]]
    assert acts[-1]["detail"]["was"]["comment"] == SAYS


async def test_what_is_sent_twice_is_made_once(either: Here) -> None:
    call = await either.call_of(*ALPHA)
    body = new(call)
    assert (await either.ask("sue", "POST", "/flags", body))[0] == 201
    status, flag = await either.ask("sue", "POST", "/flags", body)
    assert status == 200 and flag["id"] == body["id"]
    assert (await either.ask("ina", "POST", "/flags", body))[0] == 409
    assert len((await either.clients["sue"].get("/api/v1/flags"))["rows"]) == 1


@pytest.mark.row("000-40", "000-46", "000-45")
async def test_whether_agents_see_them_is_said_once_for_the_site(either: Here) -> None:
    call = await either.call_of("alpha-1")
    mine = either.clients["alpha-1"]
    before = await either.made_by("sue", call)
    assert (await mine.get("/api/v1/my-flags"))["rows"] == []
    settings = await either.done("adm", "GET", "/flags/settings")
    assert settings["visible"] is False and settings["hidden"] == 1
    assert (await either.done("sue", "GET", "/flags/settings"))["hidden"] == 0, "not hers to set"
    body = {"visible": True, "themes": settings["themes"]}
    assert (await either.ask("sue", "PUT", "/flags/settings", body))[0] == 403
    await either.done("adm", "PUT", "/flags/settings", body)
    after = await either.made_by("sue", call)
    assert [f["id"] for f in (await mine.get("/api/v1/my-flags"))["rows"]] == [after["id"]]
    assert (await either.ask("alpha-1", "POST", f"/flags/{before['id']}/answer", ACK))[0] == 404
    # what was written before is shown only where that is chosen, and that is in the log
    await either.done("adm", "PUT", "/flags/settings", body | {"earlier": True})
    assert len((await mine.get("/api/v1/my-flags"))["rows"]) == 2
    acts = [r for r in read_audit(either.made.store) if r["action"] == "change flag settings"]
    assert [r["detail"]["earlier_flags_shown"] for r in acts] == [0, 1]
    refused = {"visible": False, "themes": [], "earlier": True}
    assert (await either.ask("adm", "PUT", "/flags/settings", refused))[0] == 400


ACK = {"kind": "acknowledgement"}


@pytest.mark.row("000-42", "000-43", "000-44")
async def test_the_agent_reads_and_answers_and_the_supervisor_sees_it_at_once(here: Here) -> None:
    settings = await here.done("adm", "GET", "/flags/settings")
    themes = settings["themes"]
    await here.done("adm", "PUT", "/flags/settings", {"visible": True, "themes": themes})
    call = await here.call_of("alpha-1")
    async with (
        here.clients["alpha-1"].stream() as mine,
        here.clients["sue"].stream() as hers,
    ):
        flag = await here.made_by("sue", call)
        await mine.until(lambda s: flag["id"] in s.entities["flag"], "the agent is told")
        assert mine.entities["flag"][flag["id"]]["comment"] == SAYS
        path = f"/flags/{flag['id']}/answer"
        for kind in ("question", "context"):
            assert (await here.ask("alpha-1", "POST", path, {"kind": kind}))[0] == 400
        await here.done("alpha-1", "POST", path, ACK)
        await here.done("alpha-1", "POST", path, {"kind": "question", "text": "Which refund?"})

        def answered(stream: Any) -> bool:
            known = stream.entities["flag"].get(flag["id"], {"answers": []})
            return [a["text"] for a in known["answers"]] == ["", "Which refund?"]

        await hers.until(answered, "the answers")
    for login in ("ina", "sue", "adm", "bob"):
        assert (await here.ask(login, "POST", path, ACK))[0] in (403, 404), login
    shown = (await here.clients["sue"].get(f"/api/v1/flags/{flag['id']}"))["flag"]
    assert [a["kind"] for a in shown["answers"]] == ["acknowledgement", "question"]


@pytest.mark.row("000-51", "000-54")
async def test_good_work_is_shared_with_the_team_and_nothing_else(here: Here) -> None:
    mate = here.clients["alpha-1"]
    call = await here.call_of("alpha-2", "alpha-3", "alpha-4")
    good = await here.made_by("sue", call, wanted="Do it again.")
    await here.made_by("sue", call)
    bad = await here.made_by("sue", call, polarity="bad")
    assert (await mate.get("/api/v1/team-flags"))["rows"] == []
    shared = await here.done("sue", "POST", f"/flags/{good['id']}/share")
    assert shared["shared"] is not None and shared["visible"]
    assert (await here.ask("sue", "POST", f"/flags/{bad['id']}/share"))[0] == 409
    (seen,) = (await mate.get("/api/v1/team-flags"))["rows"]
    assert (seen["id"], seen["comment"], seen["wanted"]) == (good["id"], SAYS, "")
    assert seen["agent"]["id"] == call.agent.id
    # what is shared cannot be turned into what went wrong
    assert (await here.ask("sue", "PATCH", f"/flags/{good['id']}", {"polarity": "bad"}))[0] == 409
    other = await here.call_of(*BETA)
    theirs = await here.made_by("bob", other)
    await here.done("bob", "POST", f"/flags/{theirs['id']}/share")
    assert len((await mate.get("/api/v1/team-flags"))["rows"]) == 1, "of one's own team"
    await here.done("sue", "DELETE", f"/flags/{good['id']}/share")
    assert (await mate.get("/api/v1/team-flags"))["rows"] == []


@pytest.mark.row("000-55")
async def test_there_is_no_disciplinary_kind(here: Here) -> None:
    call = await here.call_of(*ALPHA)
    for more in ({"polarity": "disciplinary"}, {"discipline": True}, {"severity": "warning"}):
        assert (await here.ask("sue", "POST", "/flags", new(call) | more))[0] == 400


async def test_filters(either: Here) -> None:
    some = []
    for agent, login, polarity, theme in (
        ("alpha-1", "sue", "good", "tone"),
        ("alpha-2", "ina", "bad", "procedure"),
        ("beta-1", "ina", "good", "tone"),
    ):
        call = await either.call_of(agent)
        some.append(await either.made_by(login, call, polarity=polarity, themes=[theme]))
    ina = either.clients["ina"]

    async def found(**given: str) -> set[int]:
        rows = (await ina.get("/api/v1/flags", **given))["rows"]
        return {n for n, flag in enumerate(some) if flag["id"] in {r["id"] for r in rows}}

    assert await found() == {0, 1, 2}
    assert await found(agent="alpha-2") == {1}
    assert await found(leader="lea") == {0, 2}, "her direct reports"
    assert await found(by="ina", theme="tone") == {2}
    assert await found(polarity="good") == {0, 2}
    assert await found(begin=str(some[1]["made"])) == {1, 2}
    assert await found(call="nobody's") == set()
    first = await ina.get("/api/v1/flags", limit="2")
    rest = await ina.get("/api/v1/flags", limit="2", cursor=first["next"])
    assert [f["id"] for f in first["rows"] + rest["rows"]] == [f["id"] for f in reversed(some)]


async def test_flags_of_live_calls_are_there_after_a_restart(here: Here) -> None:
    """What a daemon before this one knew is read as soon as its calls are seen."""
    call = await here.call_of(*ALPHA)
    flag = await here.made_by("sue", call)
    board = here.made.daemon.web[FLAGS].board
    board._drop(flag["id"])
    here.made.daemon.hub.flush()
    async with here.clients["sue"].stream() as stream:
        assert stream.of("flag") == []
        await board.look({})
        await stream.until(lambda s: flag["id"] in s.entities["flag"], "the flag")
    await until(lambda: flag["id"] in board)
