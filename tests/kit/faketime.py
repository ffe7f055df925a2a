"""Another wall clock for a program, by Debian's libfaketime; the monotonic clock stays."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.install import LabMissing, cache_folder, can_install, locked, required, run

_PLACES = ("usr/lib/*/faketime/libfaketimeMT.so.1", "usr/lib/faketime/libfaketimeMT.so.1")


def library() -> Path:
    """Installed by apt where that is allowed.

    Raises:
        LabMissing: there is none and none can be installed.
    """
    if found := _installed():
        return found
    if not (required() and can_install()):
        raise LabMissing("libfaketime is missing (Debian: apt-get install libfaketime)")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked(cache_folder() / "tools.lock"):
        if _installed() is None:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
            run([*apt, "update"], environment)
            run([*apt, "install", "--no-install-recommends", "libfaketime"], environment)
    if found := _installed():
        return found
    raise LabMissing("libfaketime was installed, but is not there")


def _installed() -> Path | None:
    return next((path for place in _PLACES for path in Path("/").glob(place)), None)


class WallClock:
    """Of a program that is started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.jump(0)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: float) -> None:
        """So far before the true time, from now on."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+.0f}\n")
        draft.replace(self._file)
