"""What is generated and committed is what its source would generate now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "script", ["web/generate_types.py", "web/record_frames.py", "docs/generate.py"]
)
def test_what_is_committed_is_current(script: str) -> None:
    """The page's types, the frames that its tests apply, and what the documents say of rights and
    routes are the daemon's."""
    done = subprocess.run(
        [sys.executable, script, "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
