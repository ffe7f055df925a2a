"""The benches of the whole daemon: that each can still be run, at a tiny size, and that what they
feed it is what real Asterisk says. No time is judged."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest

from tests.bench.figures import Report, table
from tests.bench.measures import per_call
from tests.bench.profile import through
from tests.bench.traffic import messages, setups, stream
from tests.lab.install import LabMissing, install, required


def shown(report: Report, name: str) -> None:
    assert report.name == name
    assert report.figures and all(figure.samples for figure in report.figures)
    assert all(figure.what in table(report.figures) for figure in report.figures)


@pytest.mark.faults
@pytest.mark.asterisk
@pytest.mark.xdist_group("asterisk22")
async def test_real_calls_are_measured() -> None:
    try:
        await asyncio.to_thread(install, 22)
    except LabMissing as missing:
        if required():
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    shown(await per_call.measure(1, per_call.TINY), "per_call")


async def test_the_core_takes_all_of_it_and_every_call_ends() -> None:
    data, events = stream(40, running=20)
    told = await through(data, 4, None)
    assert events == data.count(b"\r\n\r\n")
    assert told["calls_left"] == 0 and told["records"] > 40 and told["frames"] > 4


def test_no_two_calls_share_a_name() -> None:
    texts = list(messages(60, running=20))
    hung_up = [t for t in texts if t.startswith("Event: Hangup\r")]
    assert len(hung_up) >= 2 * 60
    for header in ("Uniqueid", "Channel"):
        values = Counter(re.search(rf"(?m)^{header}: (.*)\r$", t)[1] for t in hung_up)  # type: ignore[index]
        assert max(values.values()) == 1
    # Nothing of the recorded names is left in what is to differ.
    assert not [t for t in texts if re.search(r"PJSIP/(1001|1003|1004|1008|2001)\b", t)]


def test_the_filter_lets_through_what_the_shipped_file_names() -> None:
    whole = Counter(t.partition("\r\n")[0] for t in messages(20, running=5))
    few = Counter(t.partition("\r\n")[0] for t in messages(20, running=5, filtered=True))
    assert few["Event: Newchannel"] == whole["Event: Newchannel"]
    assert 0 < few["Event: VarSet"] < whole["Event: VarSet"]
    assert few["Event: DialState"] == 0 < whole["Event: DialState"]


def test_more_calls_than_agents_are_refused() -> None:
    with pytest.raises(ValueError, match="more calls at once than agents"):
        setups(5000)
