"""Acceptance rows: an empty marker is refused, and only what passed here and now counts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.kit import rows

ROOT = Path(__file__).parent.parent

CONFTEST = """
from pathlib import Path
import tests.kit.rows as rows
rows.RESULTS = Path(__file__).parent / "rows"
import tests.conftest as conftest
globals().update({k: v for k, v in vars(conftest).items() if k.startswith("pytest_")})
"""

HEAD = """
import pytest
from tests.kit.client import Client
from tests.kit.http import raw
from tests.kit.browser import chromium

def helper(url):
    return [Client(url) for _ in ()]

@pytest.fixture
def client():
    return helper("")

@pytest.fixture
def browser():
    return [chromium for _ in ()]

def annotated(client: Client) -> None: ...
"""


def run(folder: Path, text: str, *more: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_a.py").write_text(HEAD + text)
    settings = folder / "pytest.ini"
    settings.write_text(
        "[pytest]\nmarkers =\n  row: x\n  browser: x\nasyncio_mode = auto\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(settings), str(folder), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def kept(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "rows").glob("*/*.jsonl"))
    return [json.loads(line) for f in files for line in f.read_text().splitlines()]


SAYS_NOTHING = {
    "unknown": (
        '@pytest.mark.row("003-99")\ndef test_it(client): ...',
        "'003-99' is no id of docs/acceptance.csv",
    ),
    "too_many": (
        '@pytest.mark.row("003-01", "003-02", "003-03")\n@pytest.mark.row("003-04")\n'
        "def test_it(client): ...",
        "4 rows, but one test shows 3 at most",
    ),
    "names_none": ("@pytest.mark.row()\ndef test_it(client): ...", "names no row"),
    "no_interface": (
        '@pytest.mark.row("003-01")\ndef test_it(): annotated',
        "uses neither",
    ),
    "no_browser": (
        '@pytest.mark.row("003-01")\n@pytest.mark.browser\ndef test_it(client): ...',
        "is marked “browser”, but uses none",
    ),
    "whole_module": (
        'pytestmark = pytest.mark.row("003-01")\ndef test_it(): ...',
        "uses neither",
    ),
}


def test_a_marker_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """Each in a file of its own, all in one process."""
    for name, (text, _) in SAYS_NOTHING.items():
        (tmp_path / f"test_{name}.py").write_text(HEAD + text)
    code, said = run(tmp_path, "def test_right(client): ...")
    assert code == 2 and "Traceback" not in said and kept(tmp_path) == [], said
    parts = re.split(r"^_+ ERROR collecting (?:\S*/)?test_(\w+)\.py _+$", said, flags=re.M)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert found.keys() == SAYS_NOTHING.keys(), said
    # What follows the last one is pytest's summary of them all.
    ends = {name: text.partition("short test summary")[0] for name, text in found.items()}
    silent = {n: ends[n] for n, (_, rule) in SAYS_NOTHING.items() if rule not in ends[n]}
    assert silent == {}


MIXED = """
@pytest.mark.row("003-01", "003-02")
def test_by_fixture(client): ...

@pytest.mark.row("003-03")
def test_by_its_own_code(): helper("")

@pytest.mark.row("003-04")
@pytest.mark.browser
def test_in_a_browser(browser): ...

@pytest.mark.row("003-05")
def test_fails(client): assert False

@pytest.mark.row("003-06")
def test_skips(client): pytest.skip("no")

@pytest.mark.row("003-07")
@pytest.mark.xfail
def test_expected_to_fail(client): assert False

@pytest.fixture
def breaks_at_the_end():
    yield
    raise ValueError

@pytest.mark.row("003-08")
def test_fails_at_the_end(client, breaks_at_the_end): ...

@pytest.mark.row("003-09")
@pytest.mark.parametrize("n", [1, 2])
def test_often(client, n): assert n == 1

def test_without(): ...
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_passed_is_kept(workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(tmp_path, MIXED, "-n", workers)
    assert code == 1, said
    (folder,) = (tmp_path / "rows").iterdir()
    assert folder.name == rows.state_of_the_sources()
    assert len(list(folder.iterdir())) == 1, "one file, whatever the number of workers"
    monkeypatch.setattr(rows, "RESULTS", tmp_path / "rows")
    found = rows.shown(folder.name)
    assert {row: rows.interfaces(tests) for row, tests in found.items()} == {
        "003-01": "HTTP",
        "003-02": "HTTP",
        "003-03": "HTTP",
        "003-04": "browser",
        "003-09": "HTTP",
    }
    assert [t["test"].rpartition("::")[2] for t in found["003-09"]] == ["test_often[1]"]


def test_several_runs_are_put_together_and_the_last_word_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RESULTS", tmp_path)
    for words in (
        {"a": "passed", "b": "failed"},
        {"a": "failed", "c": "passed"},
        {"b": "passed"},
    ):
        results = rows.Results()
        results.tests = {
            n: {"test": n, "rows": [f"003-0{ord(n) - 96}"], "interface": "HTTP", "outcome": o}
            for n, o in words.items()
        }
        assert results.write() == ""
    assert set(rows.shown(rows.state_of_the_sources())) == {"003-02", "003-03"}


def test_another_state_of_the_sources_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RESULTS", tmp_path / "rows")
    source = tmp_path / "root" / "monitord" / "a.py"
    source.parent.mkdir(parents=True)
    source.write_text("one")
    monkeypatch.setattr(rows, "ROOT", tmp_path / "root")
    passed = {"test": "t", "rows": ["003-01"], "interface": "HTTP", "outcome": "passed"}
    results = rows.Results(tests={"t": passed})
    assert results.write() == "" and "003-01" in rows.shown(rows.state_of_the_sources())
    source.write_text("two")
    assert rows.shown(rows.state_of_the_sources()) == {}
    assert "changed while the tests ran" in results.write()
    again = rows.Results(tests={"t": passed})
    assert again.write() == ""
    assert len(list((tmp_path / "rows").iterdir())) == 1, "the old one is removed"


# --- the report --------------------------------------------------------------------------


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "RESULTS", tmp_path / "rows")
    monkeypatch.setattr(rows, "ROOT", tmp_path)
    monkeypatch.setattr(rows, "REPORT", tmp_path / "rows.md")
    ids = [r for r in rows.rows() if r.startswith("003-")]
    tests = {
        f"t{n}": {"test": f"t{n}", "rows": [row], "interface": "browser", "outcome": "passed"}
        for n, row in enumerate(ids)
    }
    rows.Results(tests=tests).write()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 0, "003: 38 of 38 shown"),
        (["003"], 0, "Without a test: none"),
        (["003-01"], 0, "003: 1 of 1 shown"),
        (["001", "003"], 1, "001: 0 of 47 shown"),
        (["M"], 1, "M: 0 of 17 shown"),
    ],
)
def test_the_table(
    arguments: list[str], code: int, words: str, shown: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rows.main(arguments) == code
    assert words in capsys.readouterr().out
    assert len(rows.REPORT.read_text().splitlines()) == 6 + 272


def test_no_such_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert rows.main(["999"]) == 2
    assert "there is no acceptance row '999'" in capsys.readouterr().err


def test_what_is_demanded_is_checked(
    shown: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def demand(*prefixes: str) -> int:
        listed = json.dumps(prefixes)
        (tmp_path / "pyproject.toml").write_text(f"[tool.monitord.rows]\nrequired = {listed}\n")
        # Which is a source as well, so what was shown of the other state is gone.
        state = rows.state_of_the_sources()
        (old,) = rows.RESULTS.iterdir()
        old.rename(rows.RESULTS / state)
        return rows.main(["--required"])

    assert [demand(), demand("003"), demand("003", "004"), demand("nine")] == [0, 0, 1, 2]


def test_the_projects_own_demand_names_rows_that_there_are() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    there = {row.prefix for row in rows.rows().values()} | rows.rows().keys()
    assert set(settings["tool"]["monitord"]["rows"]["required"]) <= there


def test_the_list_is_whole() -> None:
    listed = rows.rows().values()
    assert len(listed) == 272 and all(row.requirement and row.area for row in listed)
