"""For all tests: the table of cases that were shown on real Asterisk, and the databases."""

from __future__ import annotations

import pytest

from tests.kit.cases import Results, describe
from tests.kit.stores import postgres, postgres_server, store
from tests.kit.traces import KEEP

__all__ = ["postgres", "postgres_server", "store"]

_results = Results()


def pytest_runtest_setup(item: pytest.Item) -> None:
    describe(item)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _results.take(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    # With workers only the first process has all reports.
    if KEEP and _results.seen and not hasattr(session.config, "workerinput"):
        _results.write()
