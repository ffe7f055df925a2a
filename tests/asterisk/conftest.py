"""Gives the tests of this folder the real servers, and a daemon that watches them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.asterisk.watch import Watch, watching
from tests.lab.fixtures import asterisk16, asterisk22, pbx, scene
from tests.lab.scene import Scene

__all__ = ["asterisk16", "asterisk22", "pbx", "scene", "watch"]


@pytest.fixture
async def watch(
    scene: Scene, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Watch]:
    family = request.node.path.stem.removeprefix("test_")
    async with watching(scene, tmp_path, request.node.name, family) as watch:
        yield watch
