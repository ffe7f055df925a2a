"""Saved views: each person's own, those that others share, and the one that was chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.store import engine as engines
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.stores import Store
from tests.test_api_team import who

PEOPLE = "".join(
    [
        *(who("sue", "supervisor", "sales"), who("lee", "supervisor"), who("ina", "QA manager")),
        *(who("max", "auditor"), who("abe", "agent", "sales", agent=True)),
        *(who("ann", "", "sales", agent=True), who("cat", "", "care", agent=True)),
        who("dan", "", "care", agent=True, leader="sue"),
    ]
)


@pytest.fixture
async def url(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    site = Site(ami_port=1, secret="s", store=store, people=PEOPLE)
    async with daemon(site, tmp_path) as started:
        yield started.url


@asynccontextmanager
async def as_(url: str, login: str) -> AsyncIterator[Client]:
    async with Client(url) as client:
        assert await client.sign_in(login) == 200
        yield client


async def put(client: Client, **body: Any) -> tuple[int, Any]:
    async with client.http.put("/api/v1/views", json=body) as response:
        return response.status, await response.json()


def view(name: str, **more: Any) -> dict[str, Any]:
    return {"page": "coach-manager", "name": name, "filters": {"show": "mine"}, **more}


async def test_what_is_mine_and_the_usual_view(url: str) -> None:
    async with as_(url, "sue") as sue:
        views = await sue.get("/api/v1/views")
        assert views["mine"] == ["abe", "ann", "dan", "sue"]
        assert views["chosen"] == {"coach-manager": "mine", "live-calls": "mine"}
    for login, mine in (("ina", ["ina"]), ("lee", ["lee"])):
        async with as_(url, login) as someone:
            views = await someone.get("/api/v1/views")
            assert views["mine"] == mine
            assert views["chosen"] == {"coach-manager": "all", "live-calls": "all"}


@pytest.mark.row("000-10")
async def test_the_choice_is_remembered_for_the_person(url: str) -> None:
    async with as_(url, "sue") as sue:
        status, views = await put(sue, chosen={"coach-manager": "all"})
        assert status == 200
        assert views["chosen"] == {"coach-manager": "all", "live-calls": "mine"}
        status, views = await put(sue, views=[view("Mornings")])
        (saved,) = views["views"]
        assert saved["own"] and saved["by"] == "Sue" and not saved["shared"]
        status, views = await put(sue, chosen={"coach-manager": saved["id"]})
        assert status == 200
    async with as_(url, "sue") as again:
        kept = {"coach-manager": saved["id"], "live-calls": "mine"}
        assert (await again.get("/api/v1/views"))["chosen"] == kept
        _, views = await put(again, views=[])
        assert views["views"] == []
        assert views["chosen"] == {"coach-manager": "mine", "live-calls": "mine"}


async def test_a_view_belongs_to_its_page(url: str) -> None:
    """The same name may stand on two pages, and neither page opens with the other's."""
    async with as_(url, "sue") as sue:
        calls = view("Flagged", page="live-calls", filters={"show": "mine", "only": "flagged"})
        status, views = await put(sue, views=[view("Flagged"), calls])
        assert status == 200
        ids = {v["page"]: v["id"] for v in views["views"]}
        status, views = await put(sue, chosen={"live-calls": ids["live-calls"]})
        assert status == 200
        assert views["chosen"] == {"coach-manager": "mine", "live-calls": ids["live-calls"]}
        status, body = await put(sue, chosen={"live-calls": ids["coach-manager"]})
        assert (status, body["field"]) == (400, "chosen")


async def test_shared_ones_and_what_is_not_shared(url: str) -> None:
    async with as_(url, "sue") as sue, as_(url, "ina") as ina, as_(url, "max") as auditor:
        number = view("Their number", filters={"number": "5551234"}, page="history", shared=True)
        await put(sue, views=[view("Own"), view("For all", shared=True), number])
        seen = (await ina.get("/api/v1/views"))["views"]
        assert [(v["name"], v["by"], v["own"]) for v in seen] == [
            ("For all", "Sue", False),
            ("Their number", "Sue", False),
        ]
        masked = await auditor.get("/api/v1/views")
        assert [v["name"] for v in masked["views"]] == ["For all"]
        assert "5551234" not in str(masked)
        # Somebody else's is neither changed nor taken over.
        status, views = await put(ina, views=[view("Changed", id=seen[0]["id"])])
        assert status == 200 and [v["id"] == seen[0]["id"] for v in views["views"] if v["own"]] == [
            False
        ]
        assert "For all" in [v["name"] for v in (await sue.get("/api/v1/views"))["views"]]
        status, body = await put(auditor, views=[view("x", shared=True)])
        assert (status, body["field"]) == (403, "views.shared")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"views": [view("")]}, "views[0].name"),
    ({"views": [view("  ")]}, "views.name"),
    ({"views": [view("x" * 61)]}, "views[0].name"),
    ({"views": [view("a\nb")]}, "views[0].name"),
    ({"views": [view("a"), view("A")]}, "views.name"),
    ({"views": [view("a", filters={f"f{c}": "" for c in "abcdefghijklmnopqrstu"})]}, "filters"),
    ({"views": [view("a", filters={"show": "x" * 301})]}, "filters"),
    ({"views": [view("a", filters={"Show!": "x"})]}, "filters"),
    ({"views": [view("a", filters={"show": 1})]}, "filters"),
    ({"views": [view("a", page="settings")]}, "page"),
    ({"views": [view("a", person="ina")]}, ""),
    ({"views": [view(f"v{n}") for n in range(51)]}, "views"),
    ({"chosen": {"coach-manager": "nothing"}}, "chosen"),
    ({"chosen": {"settings": "all"}}, ""),
    ({"mine": []}, ""),
]


async def test_refused(url: str) -> None:
    async with as_(url, "sue") as sue:
        for body, field in REFUSED:
            status, problem = await put(sue, **body)
            assert status == 400 and problem["message"], body
            assert field in f"{problem['field']} {problem['message']}", (body, problem)
        assert (await sue.get("/api/v1/views"))["views"] == []


async def test_who_may_not(url: str) -> None:
    async with as_(url, "abe") as agent:
        async with agent.http.get("/api/v1/views") as response:
            assert response.status == 403
        assert (await put(agent, views=[]))[0] == 403


async def test_another_sites_page_cannot_write(url: str) -> None:
    async with (
        as_(url, "sue") as sue,
        sue.http.put(
            "/api/v1/views", json={"views": []}, headers={"Origin": "https://elsewhere.example"}
        ) as response,
    ):
        assert response.status == 403


async def test_said_where_it_cannot_be_kept(url: str, store: Store) -> None:
    async with as_(url, "sue") as sue:
        async with store.locked():
            assert (await put(sue, views=[view("a")]))[0] == 503
        assert (await sue.get("/api/v1/views"))["views"] == []
