"""Coverage-guided fuzzing: ``python -m tests.faults.fuzz ami|stream [--seconds N] [FILE...]``.

Without files it looks for inputs that break a promise, for so long; with files it plays them once.
What it finds is written to build/fuzz, and goes to tests/faults/inputs as soon as it is mended, so
that `make test` plays it for ever.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
INPUTS = Path(__file__).parent / "inputs"
FOUND = ROOT / "build" / "fuzz"
NAMES = ("ami", "stream")
LOOKED_AT = ("monitord.ami", "monitord.api.stream", "monitord.domain", "monitord.live")
"""Where new ways through the code count."""


def load(name: str) -> ModuleType:
    if name == "ami":
        from tests.faults import fuzz_ami as module
    else:
        from tests.faults import fuzz_stream as module
    return module


def explore(name: str, seconds: int) -> None:
    """Ends the process: with 0 where nothing was found."""
    import atheris

    with atheris.instrument_imports(include=list(LOOKED_AT)):
        module = load(name)
    corpus, found = FOUND / name / "corpus", FOUND / name / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in module.seeds():
        (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    words = FOUND / name / "words"
    words.write_text("".join(f'"{word}"\n' for word in module.WORDS), encoding="ascii")

    def target(data: bytes) -> None:
        try:
            module.target(data)
        except BaseException:
            digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            path = found / f"crash-{digest}"
            print(f"\nagain: python -m tests.faults.fuzz {name} {path.relative_to(ROOT)}\n")
            raise

    arguments = [
        *(sys.argv[0], str(corpus)),
        *(f"-max_total_time={seconds}", f"-max_len={module.MAX_LENGTH}"),
        *(
            f"-artifact_prefix={found}/",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ),
    ]
    atheris.Setup(arguments, target)
    atheris.Fuzz()


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.faults.fuzz")
    asked.add_argument("name", choices=NAMES)
    asked.add_argument("files", nargs="*", type=Path)
    asked.add_argument("--seconds", type=int, default=60)
    given = asked.parse_args()
    if not given.files:
        explore(given.name, given.seconds)
        return 0
    for file in given.files:
        load(given.name).target(file.read_bytes())
        print(f"{file}: it holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
