"""Inputs that fuzzing found once; and the fuzzing itself, FUZZ_S seconds each (`make faults`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.fuzz import INPUTS, NAMES, ROOT, load

SECONDS = int(os.environ.get("FUZZ_S", "60"))
KEPT = [(name, path) for name in NAMES for path in sorted((INPUTS / name).glob("*"))]


@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{n}/{p.name}" for n, p in KEPT])
def test_what_was_found_once(name: str, path: Path) -> None:
    load(name).target(path.read_bytes())


@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.parametrize("name", NAMES)
def test_what_the_search_begins_with(name: str) -> None:
    module = load(name)
    begins = list(module.seeds())
    assert len(begins) > 10
    for data in begins:
        module.target(data)


@pytest.mark.faults
@pytest.mark.fault("malformed AMI bytes")
@pytest.mark.timeout(SECONDS + 240)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.fuzz", name, "--seconds", str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = (done.stdout + done.stderr)[-6000:]
    assert done.returncode == 0, told
    assert "stat::number_of_executed_units" in told, told
    print(told[told.index("stat::") :])
