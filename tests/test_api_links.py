"""One-time links: the first administrator, invitations, forgotten passwords."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitord.api.keys import LINKS, PEOPLE
from monitord.app import Running
from monitord.cli import main
from monitord.people import tries
from monitord.people.links import HOURS
from tests.kit.client import Client
from tests.kit.daemon import PASSWORD, Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore, Store

NEW = "a new and long password"


@dataclass
class Here:
    daemon: Running
    folder: Path
    store: Store

    def browser(self) -> Client:
        return Client(self.daemon.url)

    async def first_token(self) -> str:
        path = await self.daemon.first_link()
        assert path is not None and path.startswith("/sign-in/link#")
        return path.partition("#")[2]

    async def administrator(self, client: Client) -> None:
        body = {"token": await self.first_token(), "name": "Ada", "login": "ada", "password": NEW}
        assert (await post(client, "/api/v1/links/use", body))[0] == 200


async def post(client: Client, path: str, body: Any) -> tuple[int, Any]:
    async with client.http.post(path, json=body) as response:
        return response.status, await response.json()


@asynccontextmanager
async def on(folder: Path, store: Store) -> AsyncIterator[Here]:
    async with daemon(Site(ami_port=9, secret="s", store=store), folder) as running:
        yield Here(running, folder, store)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with on(tmp_path, SqliteStore.in_folder(tmp_path / "data")) as made:
        yield made


@pytest.fixture
async def either(tmp_path: Path, store: Store) -> AsyncIterator[Here]:
    """On both kinds of database."""
    async with on(tmp_path, store) as made:
        yield made


async def test_the_first_administrator(either: Here) -> None:
    async with either.browser() as ada, either.browser() as late:
        token = await either.first_token()
        status, told = await post(ada, "/api/v1/links/look", {"token": token})
        assert (status, told["purpose"], told["name"]) == (200, "administrator", None)
        body = {"token": token, "name": "Ada Admin", "login": "ada@site", "password": NEW}
        for wrong, field in (
            ({"password": "short"}, "password"),
            ({"password": "aaaaaaaaaaaaaaaaaa"}, "password"),
            ({"password": "Ada@Site and more"}, "password"),
            ({"login": "INA"}, "login"),
            ({"name": " "}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"roles": ["administrator"]}, "roles"),
        ):
            status, answer = await post(ada, "/api/v1/links/use", {**body, **wrong})
            assert (status, answer["field"]) == (400, field), answer
        status, me = await post(ada, "/api/v1/links/use", body)
        assert status == 200 and me["id"] == "ada-site" and "rights.edit" in me["permissions"]
        assert (await ada.get("/api/v1/session"))["name"] == "Ada Admin"
        for again in ("look", "use"):
            given = {"token": token} if again == "look" else {**body, "login": "eve"}
            assert (await post(late, f"/api/v1/links/{again}", given))[0] == 404
        assert await either.daemon.first_link() is None, "there is one now"
        assert await late.sign_in("ADA@site", NEW) == 200
    actions = [r["action"] for r in read_audit(either.store)]
    tried = ["fail sign-in"] * 2  # with the link that was used
    made = ["make first link", "make first administrator", "sign in"]
    assert actions == [*made, *tried, "sign in"]
    assert NEW not in str(either.store.read("SELECT * FROM audit"))
    assert either.store.read("SELECT * FROM one_time_link") == []


async def test_a_newer_link_replaces_the_older(here: Here) -> None:
    old, new = await here.first_token(), await here.first_token()
    async with here.browser() as somebody:
        assert (await post(somebody, "/api/v1/links/look", {"token": old}))[0] == 404
        assert (await post(somebody, "/api/v1/links/look", {"token": new}))[0] == 200


async def test_of_two_at_once_one_gets_it(either: Here) -> None:
    token = await either.first_token()
    async with either.browser() as one, either.browser() as two:
        answers = await asyncio.gather(
            *(
                post(
                    client,
                    "/api/v1/links/use",
                    {"token": token, "name": login, "login": login, "password": NEW},
                )
                for client, login in ((one, "first"), (two, "second"))
            )
        )
    assert sorted(status for status, _ in answers) == [200, 404]


async def test_a_link_runs_out(here: Here) -> None:
    token = await here.first_token()
    links = here.daemon.web[LINKS]
    usual = links._clock
    links._clock = lambda: usual() + HOURS * 3_600_000
    async with here.browser() as somebody:
        assert (await post(somebody, "/api/v1/links/look", {"token": token}))[0] == 404


async def test_the_database_holds_no_usable_link(here: Here) -> None:
    token = await here.first_token()
    assert token not in str(here.store.read("SELECT * FROM one_time_link"))


async def test_an_invitation(here: Here) -> None:
    async with here.browser() as ada, here.browser() as tom:
        await here.administrator(ada)
        link = "/api/v1/people/tom/link"
        assert (await post(ada, link, {}))[1]["field"] == "login"
        assert (await post(ada, link, {"login": "sue"}))[1]["field"] == "login"
        assert (await post(ada, "/api/v1/people/nobody/link", {"login": "x"}))[0] == 404
        status, made = await post(ada, link, {"login": "tom"})
        assert status == 201
        assert await tom.sign_in("tom", NEW) == 401, "no password yet"
        token = made["path"].partition("#")[2]
        status, told = await post(tom, "/api/v1/links/look", {"token": token})
        assert (told["purpose"], told["name"], told["login"]) == ("password", "Tom Trainer", "tom")
        body = {"token": token, "password": NEW}
        for more in ({"login": "eve"}, {"name": "Eve"}):
            assert (await post(tom, "/api/v1/links/use", {**body, **more}))[0] == 400
        assert (await post(tom, "/api/v1/links/use", body))[0] == 200
        assert (await tom.get("/api/v1/session"))["id"] == "tom"
        assert (await post(tom, "/api/v1/links/use", body))[0] == 404
        assert await tom.sign_in("tom", NEW) == 200
        # And who may not give rights makes no link.
        assert (await post(tom, link, {}))[0] == 403


async def test_a_forgotten_password_ends_all_sessions(here: Here) -> None:
    async with here.browser() as ada, here.browser() as thief, here.browser() as sue:
        await here.administrator(ada)
        assert await thief.sign_in("sue") == 200
        _, made = await post(ada, "/api/v1/people/sue/link", {})
        body = {"token": made["path"].partition("#")[2], "password": NEW}
        assert (await post(sue, "/api/v1/links/use", body))[0] == 200
        async with thief.http.get("/api/v1/session") as response:
            assert response.status == 401
        assert await thief.sign_in("sue", PASSWORD) == 401
        assert await sue.sign_in("sue", NEW) == 200


async def test_who_has_left_needs_no_link(here: Here) -> None:
    import msgspec

    async with here.browser() as ada:
        await here.administrator(ada)
        _, made = await post(ada, "/api/v1/people/sue/link", {})

        def leave(old: Any) -> Any:
            sue = msgspec.structs.replace(old.roster.people["sue"], active=False)
            roster = msgspec.structs.replace(old.roster, people={**old.roster.people, "sue": sue})
            return msgspec.structs.replace(old, roster=roster)

        await here.daemon.web[PEOPLE].change(leave)
        token = made["path"].partition("#")[2]
        assert (await post(ada, "/api/v1/links/look", {"token": token}))[0] == 404
        assert (await post(ada, "/api/v1/people/sue/link", {}))[0] == 404


async def test_guessing_is_bounded(here: Here) -> None:
    async with here.browser() as guesser:
        for n in range(tries.ADDRESS_TRIES):
            assert (await post(guesser, "/api/v1/links/look", {"token": f"guess {n}"}))[0] == 404
        async with guesser.http.post("/api/v1/links/look", json={"token": "x"}) as response:
            assert response.status == 429 and 0 < int(response.headers["Retry-After"]) <= 61


async def test_the_command_beside_the_daemon(either: Here) -> None:
    def command() -> tuple[int, str]:
        config = str(either.folder / "monitord.toml")
        done = CliRunner().invoke(main, ["admin-link", "--config", config])
        return done.exit_code, done.output

    code, said = await asyncio.to_thread(command)
    assert code == 0 and "/sign-in/link#" in said, said
    token = said.partition("#")[2].split()[0]
    async with either.browser() as ada:
        body = {"token": token, "name": "Ada", "login": "ada", "password": NEW}
        assert (await post(ada, "/api/v1/links/use", body))[0] == 200
    code, said = await asyncio.to_thread(command)
    assert code == 1 and "there is an administrator already" in said


def test_the_command_before_the_first_start(tmp_path: Path) -> None:
    path = Site(ami_port=9, secret="s").write(tmp_path)
    done = CliRunner().invoke(main, ["admin-link", "--config", str(path)])
    assert done.exit_code == 1 and "start monitord first" in done.output
    assert json.dumps(sorted(p.name for p in tmp_path.iterdir())) == '["monitord.toml", "secret"]'
