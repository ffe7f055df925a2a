"""For all tests: databases, the tables of what was shown (cases on real Asterisk, faults), and the
acceptance rows."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.kit import faults, rows
from tests.kit.cases import Results, describe
from tests.kit.faults import told
from tests.kit.hung import tell_tasks
from tests.kit.stores import postgres, postgres_server, store
from tests.kit.traces import KEEP

__all__ = ["postgres", "postgres_server", "store", "told"]

_results = Results()
_faults = faults.Results()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rows.check(metafunc)


def pytest_configure(config: pytest.Config) -> None:
    # With workers only the first process has all reports.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Rows(), "acceptance-rows")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long forms are run by name only."""
    if "faults" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("faults") is not None]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item.get_closest_marker("faults") is None]


def pytest_runtest_setup(item: pytest.Item) -> None:
    describe(item)
    rows.describe(item)
    faults.describe(item)


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer() -> Generator[None, object, object]:
    result = yield
    tell_tasks()
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _results.take(report)
    if faults.KEEP and "PYTEST_XDIST_WORKER" not in os.environ:
        _faults.take(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if KEEP and _results.seen and not hasattr(session.config, "workerinput"):
        _results.write()
    if faults.KEEP and not hasattr(session.config, "workerinput"):
        _faults.write()


class _Rows:
    """Keeps which acceptance rows were shown."""

    def __init__(self) -> None:
        self._results = rows.Results()
        self._word = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._results.take(report)

    def pytest_sessionfinish(self) -> None:
        self._word = self._results.write()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._word:
            terminalreporter.write_line(self._word, yellow=True)
