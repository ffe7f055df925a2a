"""Requests that the OpenAPI document makes, right and wrong ones, from everybody: no fault of ours,
every answer as the document says, and nothing in it that belongs to somebody else.

`make test` sends the same few each time; `make faults` sends many, others at each run.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from monitord.api.openapi import document
from monitord.api.server import ROUTES
from tests.kit.centre import SECRET, Centre, centre
from tests.kit.client import Client
from tests.kit.past import CALLED, SUPERVISIONS, foreign, label, ledger, rows_of
from tests.kit.teams import (
    AGENTS,
    AGENTS_AT_ALL,
    SUPERVISORS,
    SUPERVISORS_AT_ALL,
    VIEWERS,
    Viewer,
    name_of,
    people,
)

FEW, MANY = 3, 60
"""Requests of each kind to each operation from each person."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

REAL: dict[str, list[str]] = {
    "agent": [*AGENTS, "lab/PJSIP/1019"],
    "supervisor": [*SUPERVISORS, "lab/PJSIP/2005"],
    "number": [row.number for row in rows_of("CallRecord")],
    "call": [label("id", agent) for agent in CALLED],
    "typed": ["of", "beta", "alpha"],
    "value": [label("campaign", agent) for agent in CALLED] + [*AGENTS],
    **{what: [label(what, agent) for agent in CALLED] for what in ("campaign", "list", "result")},
    "queue": [label("queue", agent) for agent in CALLED],
    "pbx": ["lab", "old"],
}
"""Values that are in the ledger, by the parameter that asks for them."""

IDS = [row.id for row in rows_of("SupervisionRecord")]
WITHOUT_SESSION = {"DELETE /api/v1/session", "DELETE /api/v1/sessions"}
"""It would end the session that the others need."""


def closed() -> dict[str, Any]:
    """The document with answers that hold what it names and nothing else."""
    made = copy.deepcopy(document(ROUTES))
    # Each request goes out with somebody's session; `tests.test_api_guard` has those without.
    del made["components"]["securitySchemes"]
    for methods in made["paths"].values():
        for operation in methods.values():
            del operation["security"]
    for component in made["components"]["schemas"].values():
        if component.get("type") == "object":
            component.setdefault("additionalProperties", False)
    return made


SCHEMA = schemathesis.openapi.from_dict(closed())
OPERATIONS = {o.label: o for o in (found.ok() for found in SCHEMA.get_all_operations())}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with centre(
        tmp_path_factory.mktemp("fuzz"),
        people=people(),
        agents=AGENTS_AT_ALL,
        supervisors=SUPERVISORS_AT_ALL,
    ) as made:
        made.daemon.recorder.take(ledger())
        await made.daemon.recorder.settled()
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cookies(here: Centre) -> AsyncIterator[dict[str, str]]:
    async with AsyncExitStack() as stack:
        found = {}
        for viewer in VIEWERS:
            client = await stack.enter_async_context(Client(here.daemon.url))
            assert await client.sign_in(viewer.login) == 200
            found[viewer.login] = client.cookie
        yield found


pytestmark = pytest.mark.asyncio(loop_scope="module")


def replaced(case: Any, data: st.DataObject) -> None:
    """Some values with real ones, or hardly a request would find anything."""
    for name in sorted(set(case.query or {}) & set(REAL)):
        if data.draw(st.booleans(), label="real"):
            case.query[name] = data.draw(st.sampled_from(REAL[name]), label=name)
    if "id" in (case.path_parameters or {}) and data.draw(st.booleans(), label="real"):
        case.path_parameters["id"] = data.draw(st.sampled_from(IDS), label="id")


def send(
    operation: Any,
    viewer: Viewer,
    cookie: str,
    url: str,
    pairs: list[tuple[str, str | None]],
    examples: int,
    *,
    always_the_same: bool,
) -> None:
    never = foreign(viewer, pairs) if viewer.has("history.see") else foreign_to_all()
    if viewer.has("roster.see") and "/roster/" in operation.label:
        # Whoever may see the roster sees all of it; but nothing of anybody's calls.
        names = {name_of(person) for person in (*AGENTS, *SUPERVISORS)}
        never = [text for text in never if text not in names]
    headers = {} if operation.label in WITHOUT_SESSION else {"Cookie": cookie}
    bounds = settings(
        max_examples=examples,
        derandomize=always_the_same,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with requests.Session() as session:

        def ask(case: Any, checks: list[Any]) -> None:
            response = case.call(base_url=url, session=session, headers=headers)
            case.validate_response(response, checks=checks)
            asked = f"{case.query} {case.path_parameters} {case.body}"
            for text in never:
                assert text in asked or text not in response.text, text
            assert SECRET not in response.text and "Traceback" not in response.text
            assert response.headers["content-security-policy"]

        @bounds
        @given(case=operation.as_strategy(), data=st.data())
        def right(case: Any, data: st.DataObject) -> None:
            replaced(case, data)
            ask(case, CHECKS)

        @bounds
        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def wrong(case: Any) -> None:
            ask(case, [*CHECKS, negative_data_rejection])

        right()
        if operation.query or operation.path_parameters or operation.body:
            wrong()


def foreign_to_all() -> list[str]:
    return [label(what, agent) for what in ("campaign", "list", "queue") for agent in CALLED]


async def fuzz(
    here: Centre, cookies: dict[str, str], name: str, examples: int, *, always_the_same: bool
) -> None:
    await here.daemon.recorder.settled()
    rows = here.store.read("SELECT supervisor_id, agent_id FROM supervision")
    pairs = [*SUPERVISIONS, *((r["supervisor_id"], r["agent_id"]) for r in rows)]
    for viewer in VIEWERS:
        await asyncio.to_thread(
            send,
            OPERATIONS[name],
            viewer,
            cookies[viewer.login],
            here.daemon.url,
            pairs,
            examples,
            always_the_same=always_the_same,
        )


each = pytest.mark.parametrize("name", sorted(OPERATIONS))


@each
async def test_a_few_of_each(here: Centre, cookies: dict[str, str], name: str) -> None:
    await fuzz(here, cookies, name, FEW, always_the_same=True)


@pytest.mark.faults
@each
async def test_many_of_each(here: Centre, cookies: dict[str, str], name: str) -> None:
    await fuzz(here, cookies, name, MANY, always_the_same=False)
