"""What is generated and committed is what its source would generate now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_pages_types_are_those_of_the_wire() -> None:
    done = subprocess.run(
        [sys.executable, "web/generate_types.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
