"""A document whose commands are run: its shell blocks, and one bash in which they are.

How the document is read:

- Each block fenced as ``sh`` is run, in order, by one bash, as somebody does who follows it. A
  command in it that fails is a failure.
- A block fenced as ``text`` right behind it is what one should see: each of its lines must stand
  in what was printed, in this order. ``…`` is anything; how blanks and line breaks stand is no
  matter.
- Comments right before a block: ``<!-- only: x -->`` for a variant, ``<!-- meanwhile: x -->`` for
  what happens beside it, ``<!-- types: x -->`` for what is typed into it, ``<!-- until seen -->``
  where one looks again until it is there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

DEADLINE = 120.0
"""For one block, in s."""

_FENCE = re.compile(r"^```(\w*)$")
_NOTE = re.compile(r"^<!-- (only|meanwhile|types): (.+) -->$|^<!-- (until seen) -->$")
_HEADING = re.compile(r"^## (\d+)\. ")


@dataclass(frozen=True)
class Block:
    line: int
    section: int
    code: str
    expected: tuple[str, ...] = ()
    only: str = ""
    meanwhile: str = ""
    types: str = ""
    until_seen: bool = False

    def __str__(self) -> str:
        return f"the block at line {self.line}: {self.code.strip().splitlines()[0]}"


def read(path: Path) -> list[Block]:
    """All shell blocks.

    Raises:
        ValueError: a comment or fence that could not be understood, with its line.
    """
    blocks: list[Block] = []
    notes: dict[str, str] = {}
    section, fence, began, kept = 0, "", 0, [""]
    follows = False  # a shell block, with nothing but blank lines since
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if fence:
            if line != "```":
                kept.append(line)
                continue
            if fence == "sh":
                code = "\n".join(kept) + "\n"
                blocks.append(
                    Block(
                        began,
                        section,
                        code,
                        only=notes.get("only", ""),
                        meanwhile=notes.get("meanwhile", ""),
                        types=notes.get("types", ""),
                        until_seen="until seen" in notes,
                    )
                )
                notes = {}
            elif fence == "text" and follows:
                blocks[-1] = Block(**{**vars(blocks[-1]), "expected": tuple(kept)})
            elif fence == "text":
                raise ValueError(f"line {began}: nothing is run right before this text")
            follows, fence = fence == "sh", ""
        elif match := _FENCE.match(line):
            fence, began, kept = match[1] or "?", number, []
            if notes and fence != "sh":
                raise ValueError(f"line {number}: the comment before it is for a shell block")
        elif line.startswith("<!--"):
            note = _NOTE.match(line)
            if note is None:
                raise ValueError(f"line {number}: a comment that nobody understands")
            notes[note[1] or note[3]] = note[2] or ""
        elif line:
            if notes:
                raise ValueError(f"line {number}: the comment before it is for a shell block")
            follows = False
            if heading := _HEADING.match(line):
                section = int(heading[1])
    if fence or notes:
        raise ValueError("the last block is not closed, or the last comment is for nothing")
    return blocks


def unseen(expected: tuple[str, ...], output: str) -> str | None:
    """The first line that is not in the output, None where all are."""
    text, place = " ".join(output.split()), 0
    for line in expected:
        parts = (re.escape(" ".join(part.split())) for part in line.split("…"))
        found = re.compile(r"\s?.{0,400}?\s?".join(parts)).search(text, place)
        if found is None:
            return line
        place = found.end()
    return None


_DRIVER = """
set -o pipefail -o errtrace
trap 'echo "failed with $?: $BASH_COMMAND"; FAILED=yes' ERR
while IFS= read -r -u 8 FILE_TO_RUN; do
    FAILED=no
    source "$FILE_TO_RUN" 8<&- 9>&- <"$FILE_TO_RUN.in" >"$FILE_TO_RUN.out" 2>&1
    echo "$FAILED" >&9
done
"""


class Shell:
    """One bash: what a block sets is there in the next one. Its methods block."""

    def __init__(self, folder: Path, environment: Mapping[str, str], cwd: Path) -> None:
        self._folder = folder
        folder.mkdir()
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # 8 and 9 in the shell, whatever they are here.
        script = f"exec 8<&{theirs_in} 9>&{theirs_out}\n{_DRIVER}"
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", script],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = os.fdopen(ours_in), os.fdopen(ours_out, "w", buffering=1)
        self._count = 0

    def run(self, code: str, types: str = "") -> str:
        """What it printed.

        Raises:
            AssertionError: a command of it failed.
        """
        self._count += 1
        file = self._folder / f"{self._count:03}"
        file.write_text(code)
        file.with_suffix(".in").write_text(types and types + "\n")
        self._out.write(f"{file}\n")
        failed = self._in.readline().strip()
        output = file.with_suffix(".out").read_text(errors="replace")
        assert failed == "no", f"{code}\nprinted:\n{output}"
        return output

    def run_until(self, code: str, expected: tuple[str, ...], types: str = "") -> str:
        """As ``run``, again and again until the output has what is expected."""
        deadline = time.monotonic() + DEADLINE
        while True:
            output = self.run(code, types)
            if unseen(expected, output) is None or time.monotonic() > deadline:
                return output
            time.sleep(0.2)  # what it looks at tells nobody when it changes

    def interrupt(self) -> None:
        """Ctrl-C, for the program that runs."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGINT)

    def end(self) -> None:
        self._out.close()
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._in.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def syntax_error(code: str) -> str:
    """What bash says against it without running it; empty where nothing."""
    done = subprocess.run(
        ["bash", "-n"], input=code, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    return done.stderr
