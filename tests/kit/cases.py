"""docs/asterisk.md: which case was shown on which real Asterisk, made by the tests themselves.

A real-Asterisk test of a case carries `@pytest.mark.case("in plain words")`, with its parameters in
braces. `make traces` writes the table anew; another test checks that it lists just these cases.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent / "asterisk"
DOC = TESTS.parent.parent / "docs" / "asterisk.md"
VERSIONS = ("22", "16")

_HEAD = """\
# What was shown on real Asterisk

Made by the tests (`make traces`): each line is a test that drives real Asterisk with telephones
that send sound, through the files of [`asterisk/`](../asterisk/README.md), and compares what the
page is told and what the ledger holds with what was done. The recordings of all but one are kept
in `tests/traces`, with the rows that they must lead to.

| case | Asterisk 22 | Asterisk 16 |
|---|---|---|
"""


class Results:
    """What the tests of one run have shown."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, str]] = {}

    def take(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        case, version = properties.get("case"), properties.get("asterisk")
        if not isinstance(case, str) or not isinstance(version, str):
            return
        shown = self.seen.setdefault(case, {})
        if report.skipped and isinstance(report.longrepr, tuple):
            shown[version] = f"cannot: {report.longrepr[2].removeprefix('Skipped: ')}"
        elif report.failed:
            shown[version] = "FAILS"
        elif report.when == "call":
            shown.setdefault(version, "shown")

    def write(self) -> None:
        # A run of some tests leaves what the others have shown.
        for case, shown in listed().items() if DOC.exists() else ():
            before = dict(zip(VERSIONS, shown, strict=True))
            self.seen[case] = before | self.seen.get(case, {})
        lines = [
            f"| {case} | " + " | ".join(shown.get(v, "not run") for v in VERSIONS) + " |\n"
            for case, shown in sorted(self.seen.items())
        ]
        DOC.write_text(_HEAD + "".join(lines))


def describe(item: pytest.Item) -> None:
    """Tie the case and the version to the test's report."""
    marker = item.get_closest_marker("case")
    if marker is None or not isinstance(item, pytest.Function):
        return
    params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    version = re.search(r"asterisk(\d+)", item.name)
    if version is not None:
        item.user_properties.append(("case", str(marker.args[0]).format(**params)))
        item.user_properties.append(("asterisk", version[1]))


def declared() -> set[str]:
    """The text of every case in the sources, braces and all."""
    found = set()
    for path in TESTS.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
                found.add(ast.literal_eval(node.args[0]))
    return found


def listed() -> dict[str, list[str]]:
    """The document's lines: case to what was shown on each version."""
    rows = [line for line in DOC.read_text().splitlines() if line.startswith("| ")]
    cells = [[c.strip() for c in row.strip("| ").split("|")] for row in rows[1:]]
    return {case: shown for case, *shown in cells}
