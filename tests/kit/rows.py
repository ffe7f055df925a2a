"""Which acceptance row was shown by which test, through which interface.

A test carries `@pytest.mark.row("003-24")`: one row of docs/acceptance.csv, three at most. It must
show it as a person or a program would see it: in a browser, or by HTTP. What passed is written to
`build/rows/<state of the sources>/`, one file for each run of pytest; `make rows` puts together
those of the present state of the sources, so that nothing that was shown of another state counts.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import inspect
import json
import os
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, cast

import pytest

ROOT = Path(__file__).parent.parent.parent
LIST = ROOT / "docs" / "acceptance.csv"
RESULTS = ROOT / "build" / "rows"
REPORT = ROOT / "build" / "rows.md"
MOST = 3

_SOURCES = ("monitord", "tests", "web", "asterisk", "docs/acceptance.csv", "pyproject.toml")
_SOURCES += ("constraints.txt",)
_NO_SOURCES = {"__pycache__", "node_modules", "page"}

_CLIENTS = {
    "http": ("tests.kit.client", "tests.kit.http", "aiohttp.client", "websockets.asyncio.client"),
    "browser": ("tests.kit.browser", "playwright"),
}
"""Modules whose things speak an interface."""


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    kind: str
    area: str
    requirement: str

    @property
    def prefix(self) -> str:
        """Of the issue it belongs to."""
        return re.match(r"\d{3}|\D+", self.id)[0]  # type: ignore[index]


@cache
def rows() -> dict[str, Row]:
    with LIST.open(newline="") as file:
        return {r["id"]: Row(**r) for r in csv.DictReader(file)}


# --- at collection -----------------------------------------------------------------------


def check(metafunc: pytest.Metafunc) -> None:
    """Refuse a marker that does not say what it should.

    Raises:
        pytest.Collector.CollectError: with the rule.
    """
    item = metafunc.definition
    ids = ids_of(item.iter_markers("row"))
    if ids is None:
        return

    def refuse(rule: str) -> None:
        raise pytest.Collector.CollectError(f"{item.nodeid}: row: {rule}")

    if not ids:
        refuse("names no row")
    for row in ids:
        if row not in rows():
            refuse(f"{row!r} is no id of {LIST.relative_to(ROOT)}")
    if len(ids) > MOST:
        refuse(f"{len(ids)} rows, but one test shows {MOST} at most")
    fixtures = metafunc.definition._fixtureinfo.name2fixturedefs
    used = [d.func for name in metafunc.fixturenames for d in fixtures.get(name, ())]
    marked = item.get_closest_marker("browser") is not None
    wanted = "browser" if marked else "http"
    if not reaches([metafunc.function, *used], _CLIENTS[wanted]):
        refuse(
            "is marked “browser”, but uses none"
            if marked
            else "must be shown through the browser or by HTTP, and the test uses neither"
        )


def ids_of(markers: Iterable[pytest.Mark]) -> list[Any] | None:
    """None where there is no marker."""
    found = list(markers)
    return sorted({i for m in found for i in m.args}, key=str) if found else None


def reaches(functions: Iterable[Callable[..., Any]], modules: tuple[str, ...]) -> bool:
    """Whether the code of these, or of what they use inside of `tests`, names a thing of such a
    module. Annotations do not count."""
    todo: list[Any] = [inspect.unwrap(f) for f in functions]
    homes = {f.__module__ for f in todo if f.__module__.split(".")[0] not in ("pytest", "_pytest")}
    seen: set[int] = set()
    while todo:
        thing = inspect.unwrap(todo.pop())
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        home = getattr(thing, "__module__", None) or getattr(thing, "__name__", "")
        if not isinstance(home, str):
            continue
        if any(home == m or home.startswith(m + ".") for m in modules):
            return True
        if home.split(".")[0] != "tests" and home not in homes:
            continue
        if inspect.isclass(thing):
            todo += [f for f in vars(thing).values() if callable(f)]
        elif inspect.isfunction(thing):
            names = _names(thing.__code__)
            todo += [thing.__globals__[n] for n in names if n in thing.__globals__]
    return False


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


# --- while they run ----------------------------------------------------------------------


def describe(item: pytest.Item) -> None:
    """Tie rows and interface to the test's report, which may go to another process."""
    ids = ids_of(item.iter_markers("row"))
    if ids is not None:
        interface = "browser" if item.get_closest_marker("browser") is not None else "HTTP"
        item.user_properties.append(("rows", [*ids]))
        item.user_properties.append(("interface", interface))


@dataclass
class Results:
    """Of one run of pytest."""

    began: str = field(default_factory=lambda: state_of_the_sources())
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        ids = cast(list[str] | None, properties.get("rows"))
        if ids is None:
            return
        test = self.tests.setdefault(
            report.nodeid,
            {"test": report.nodeid, "rows": ids, "interface": properties["interface"]},
        )
        # Setup, call and teardown must all have passed.
        if report.failed:
            test["outcome"] = "failed"
        elif report.skipped or hasattr(report, "wasxfail"):
            test.setdefault("outcome", "skipped")
        elif report.when == "call":
            test.setdefault("outcome", "passed")

    def write(self) -> str:
        """Gives what is to be said about it, if anything."""
        if not self.tests:
            return ""
        if state_of_the_sources() != self.began:
            return "The sources changed while the tests ran: no acceptance row counts as shown."
        folder = RESULTS / self.began
        folder.mkdir(parents=True, exist_ok=True)
        for other in RESULTS.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        file = folder / f"{time.time_ns()}-{os.getpid()}.jsonl"
        file.write_text("".join(json.dumps(t) + "\n" for t in self.tests.values()))
        return ""


def state_of_the_sources() -> str:
    total = hashlib.sha256()
    for name in _SOURCES:
        for path in _files(ROOT / name):
            total.update(f"{path.relative_to(ROOT)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(set(inner) - _NO_SOURCES)
        yield from (Path(folder) / name for name in sorted(names) if not name.endswith(".pyc"))


# --- what was shown ----------------------------------------------------------------------


def shown(state: str) -> dict[str, list[dict[str, Any]]]:
    """Row to the tests that passed for it. Of a test that ran twice the last result counts."""
    last: dict[str, dict[str, Any]] = {}
    for path in sorted((RESULTS / state).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            test = json.loads(line)
            last[test["test"]] = test
    found: dict[str, list[dict[str, Any]]] = {}
    for test in last.values():
        if test.get("outcome") == "passed":
            for row in test["rows"]:
                found.setdefault(row, []).append(test)
    return found


def required() -> list[str]:
    """Prefixes of the rows that must be shown for `make test` to succeed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(settings["tool"]["monitord"]["rows"]["required"])


def interfaces(tests: list[dict[str, Any]]) -> str:
    return ", ".join(sorted({t["interface"] for t in tests})) or "-"


def text(found: dict[str, list[dict[str, Any]]], chosen: list[Row], width: int = 70) -> str:
    lines = [f"{'row':<8} {'interface':<14} {'tests':>5}  requirement"]
    for row in chosen:
        tests = found.get(row.id, [])
        words = row.requirement
        words = words if len(words) <= width else words[: width - 1] + "…"
        lines.append(f"{row.id:<8} {interfaces(tests):<14} {len(tests):>5}  {words}")
        lines += [f"{'':<8} {t['test']}" for t in tests]
    missing = [row.id for row in chosen if row.id not in found]
    lines += ["", "Without a test: " + (", ".join(missing) or "none"), ""]
    for prefix in dict.fromkeys(row.prefix for row in chosen):
        of = [row for row in chosen if row.prefix == prefix]
        lines.append(f"{prefix}: {sum(r.id in found for r in of)} of {len(of)} shown")
    return "\n".join(lines)


def markdown(found: dict[str, list[dict[str, Any]]], state: str) -> str:
    lines = [
        "# Acceptance rows",
        "",
        f"Tests that passed with the sources in the state {state}.",
        "",
        "| row | requirement | interface | tests |",
        "|---|---|---|---|",
    ]
    for row in rows().values():
        tests = found.get(row.id, [])
        names = "<br>".join(f"`{t['test']}`" for t in tests) or "none"
        words = row.requirement.replace("|", "\\|")
        lines.append(f"| {row.id} | {words} | {interfaces(tests)} | {names} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        prog="make rows",
        description="Lists each acceptance row with the tests that passed for it.",
    )
    options.add_argument("prefix", nargs="*", help="only these, such as 003; all must be shown")
    options.add_argument(
        "--required", action="store_true", help="only those that pyproject.toml demands"
    )
    given = options.parse_args(arguments)
    prefixes: list[str] = given.prefix + (required() if given.required else [])
    known = {row.prefix for row in rows().values()} | rows().keys()
    for prefix in prefixes:
        if prefix not in known:
            sys.stderr.write(f"there is no acceptance row {prefix!r}\n")
            return 2
    if given.required and not prefixes:
        print("no acceptance row is demanded yet (pyproject.toml: tool.monitord.rows.required)")
        return 0
    state = state_of_the_sources()
    found = shown(state)
    chosen = [
        row
        for row in rows().values()
        if not prefixes or row.prefix in prefixes or row.id in prefixes
    ]
    print(text(found, chosen))
    if not found:
        print("No test was run with the sources as they are now: make test")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(markdown(found, state))
    print(f"All rows: {REPORT.relative_to(ROOT)}")
    return int(bool(prefixes) and any(row.id not in found for row in chosen))


if __name__ == "__main__":
    sys.exit(main())
