"""What is generated and committed is what its source would generate now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("script", ["generate_types.py", "record_frames.py"])
def test_what_is_committed_is_current(script: str) -> None:
    """The page's types, and the frames that its tests apply, are the daemon's."""
    done = subprocess.run(
        [sys.executable, f"web/{script}", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
