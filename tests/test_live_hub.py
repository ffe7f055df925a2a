"""The hub: numbered frames that add up to the picture, and what was missed."""

from __future__ import annotations

from typing import Any

import pytest

from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.reducer import differences
from monitord.domain.site import Site
from monitord.domain.words import LinkState
from monitord.live import hub as hubs
from monitord.live.hub import Frame, Hub


def changed(hub: Hub, detail: str) -> None:
    hub.apply("lab", ev.LinkChanged(LinkState.LOST, detail), At(1, 1))
    hub.flush()


@pytest.fixture
def hub() -> Hub:
    return Hub([("lab", "Lab")], Site(), lambda records: None)


def test_since_gives_exactly_what_was_missed(hub: Hub) -> None:
    for n in range(5):
        changed(hub, f"{n}")
    for seq in range(6):
        missed = hub.since(hub.epoch, seq)
        assert missed is not None and [f.seq for f in missed] == list(range(seq + 1, 6))


@pytest.mark.parametrize(
    "epoch, seq",
    [
        pytest.param(None, None, id="first-time"),
        pytest.param("same", None, id="no-seq"),
        pytest.param("other", 1, id="other-epoch"),
        pytest.param("same", 4, id="from-the-future"),
        pytest.param("same", 2**70, id="huge"),
    ],
)
def test_since_knows_when_it_does_not_know(hub: Hub, epoch: str | None, seq: int | None) -> None:
    for n in range(3):
        changed(hub, f"{n}")
    assert hub.since(hub.epoch if epoch == "same" else epoch, seq) is None


def test_the_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "LOG_MOST", 3)
    hub = Hub([("lab", "Lab")], Site(), lambda records: None)
    for n in range(10):
        changed(hub, f"{n}")
    oldest = hub.since(hub.epoch, 7)
    assert oldest is not None and [f.seq for f in oldest] == [8, 9, 10]
    assert hub.since(hub.epoch, 6) is None


def test_what_changes_back_before_a_flush_is_not_told(hub: Hub) -> None:
    frames: list[Frame] = []
    changed(hub, "a")
    stop = hub.listen(frames.append)
    hub.apply("lab", ev.LinkChanged(LinkState.LOST, "b"), At(1, 1))
    hub.apply("lab", ev.LinkChanged(LinkState.LOST, "a"), At(1, 1))
    hub.flush()
    assert frames == [] and hub.seq == 1
    changed(hub, "c")
    assert [[(c.kind, differences(c.old, c.new)) for c in f.changes] for f in frames] == [
        [("pbx", {"detail": "c"})]
    ]
    stop()
    stop()
    changed(hub, "d")
    assert len(frames) == 1


def test_a_picture_belongs_to_its_seq(hub: Hub) -> None:
    heard: list[Any] = []
    hub.listen(heard.append)
    hub.apply("lab", ev.LinkChanged(LinkState.LOST, "not yet flushed"), At(1, 1))
    (pbx,) = hub.picture()
    assert pbx.detail == "not yet flushed" and hub.seq == 1 and len(heard) == 1  # type: ignore[union-attr]
