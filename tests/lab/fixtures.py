"""Fixtures: a server of each version for the whole run, and a scene for each test.

A test that takes `pbx` or `scene` runs once on each version. With pytest-xdist use
`--dist loadgroup`: the tests of one version then share a worker, and so a server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.lab.install import LabMissing, install, required
from tests.lab.processes import end_orphans
from tests.lab.scene import Scene
from tests.lab.server import AsteriskServer


def _serve(version: int) -> Iterator[AsteriskServer]:
    try:
        installed = install(version)
    except LabMissing as missing:
        if required():
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    end_orphans()
    with AsteriskServer(installed) as server:
        yield server


@pytest.fixture(scope="session")
def asterisk22() -> Iterator[AsteriskServer]:
    yield from _serve(22)


@pytest.fixture(scope="session")
def asterisk16() -> Iterator[AsteriskServer]:
    yield from _serve(16)


def _of(name: str) -> object:
    marks = [pytest.mark.asterisk, pytest.mark.xdist_group(name)]
    return pytest.param(name, marks=marks, id=name)


@pytest.fixture(params=[_of("asterisk22"), _of("asterisk16")])
def pbx(request: pytest.FixtureRequest) -> AsteriskServer:
    """A running server, of each version in turn, whatever the test before did to it."""
    server: AsteriskServer = request.getfixturevalue(request.param)
    server.ready()
    return server


@pytest.fixture
async def scene(pbx: AsteriskServer) -> AsyncIterator[Scene]:
    async with await Scene.on(pbx) as scene:
        yield scene
    pbx.ready()  # and a connection of its own: the test may have cut the other one
    async with await Scene.on(pbx) as cleaner:
        await cleaner.reset()
