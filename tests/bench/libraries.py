"""The environment of the libraries that the daemon is held against, in the cache outside the
checkout, and what they need for the same bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.parse import LIBRARIES
from tests.lab.install import cache_folder, locked

PINNED = Path(__file__).with_name("libraries.txt")


@dataclass(frozen=True)
class Parsed:
    events: int
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.events / self.cpu_s


def python() -> Path:
    """Makes the environment where it is not there yet.

    Raises:
        CalledProcessError: a library could not be installed; the output says which.
    """
    text = PINNED.read_text() + sys.version
    folder = cache_folder() / f"bench-libraries-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    interpreter, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with locked(cache_folder() / "bench-libraries.lock"):
            if not complete.exists():
                subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
                install = [interpreter, "-m", "pip", "install", "-q", "-r", PINNED]
                subprocess.run(install, check=True)
                complete.touch()
    return interpreter


def parsed(library: str, file: Path) -> Parsed:
    """What a library's bare parse of the file costs, in a process of its own."""
    script = Path(__file__).with_name("parse.py")
    command = [python(), script, library, file]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Parsed(**json.loads(done.stdout))


def fastest(file: Path) -> str:
    """Of those that read events by themselves, but panoramisk, for these bytes."""
    others = LIBRARIES.keys() - {"panoramisk", "aiopyami"}
    rates = {name: parsed(name, file).rate for name in sorted(others)}
    return max(rates, key=rates.__getitem__)
