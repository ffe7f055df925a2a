"""Gives the tests of this folder the real servers, and a daemon that watches them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitord.ami.link import DEFAULT_TIMING, Timing
from tests.asterisk.watch import Watch, watching
from tests.lab.fixtures import asterisk16, asterisk22, pbx, scene
from tests.lab.scene import Scene

__all__ = ["asterisk16", "asterisk22", "pbx", "scene", "watch"]


@pytest.fixture
async def watch(
    scene: Scene, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Watch]:
    marker = request.node.get_closest_marker("timing")
    timing = Timing(**marker.kwargs) if marker is not None else DEFAULT_TIMING
    async with watching(scene, tmp_path, timing) as watch:
        yield watch
