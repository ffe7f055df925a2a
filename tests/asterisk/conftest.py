"""Gives the tests of this folder the real servers, and a daemon that watches them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from monitord.ami.link import DEFAULT_TIMING, Timing
from tests.asterisk.watch import Watch, watching
from tests.lab.fixtures import asterisk16, asterisk22, pbx, scene
from tests.lab.scene import Scene

__all__ = ["asterisk16", "asterisk22", "pbx", "scene", "watch"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A red test shows what its phones did not understand: they leave without a word."""
    report = yield
    pbx = getattr(item, "funcargs", {}).get("pbx")
    if report.failed and pbx is not None and (said := pbx.phones.complaints()):
        report.sections.append(("phones", said))
    return report


@pytest.fixture
async def watch(
    scene: Scene, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Watch]:
    marker = request.node.get_closest_marker("timing")
    timing = Timing(**marker.kwargs) if marker is not None else DEFAULT_TIMING
    async with watching(scene, tmp_path, timing) as watch:
        yield watch
