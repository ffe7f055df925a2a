"""What is generated and committed is what its source would generate now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "script",
    [
        ["web/generate_types.py"],
        ["web/record_frames.py"],
        ["docs/generate.py"],
        ["-m", "tests.kit.faults"],
    ],
    ids=lambda script: script[-1],
)
def test_what_is_committed_is_current(script: list[str]) -> None:
    """The page's types, the frames that its tests apply, what the documents say of rights and
    routes, and of the tests that show what is survived, are as the sources have it."""
    done = subprocess.run(
        [sys.executable, *script, "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
