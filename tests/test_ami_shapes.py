"""A message of the usual shape is read by one pattern, and gives what the general way gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from monitord.ami import translate as general
from monitord.ami.headers import MalformedError, headers_of
from monitord.ami.shapes import _SHAPES, fitting
from monitord.domain.events import Event

TRACES = Path(__file__).parent / "traces"


def told() -> Iterator[tuple[str, str]]:
    """Every message on record: 16 and 22."""
    for path in sorted(TRACES.glob("*/*.jsonl")):
        for line in path.read_text().splitlines():
            item = json.loads(line)
            if "text" in item:
                yield item["name"], item["text"]


def in_general(name: str, text: str) -> Event | None:
    try:
        return general._TABLE[name](headers_of(text))
    except MalformedError:
        return None


def test_all_that_asterisk_said() -> None:
    fitted: Counter[str] = Counter()
    for name, text in told():
        found = fitting(name, text)
        if found is not None:
            fitted[name] += 1
            assert found == in_general(name, text), text
    # What comes most is read in the quick way.
    assert fitted.keys() == _SHAPES.keys()
    assert fitted["Newexten"] > 500 and fitted["Newstate"] > 500


USUAL = sorted({name: text for name, text in told() if fitting(name, text) is not None}.items())
ODD = st.sampled_from(
    [
        "",
        " ",
        "(null)",
        "<unknown>",
        "\r\n",
        "\n",
        "\r",
        "a: b",
        "\r\nUniqueid: 9.9",
        "\\n",
        "é",
        ":",
    ]
)


@given(st.sampled_from(USUAL), st.data())
def test_whatever_does_not_fit_is_read_in_the_general_way(
    usual: tuple[str, str], data: st.DataObject
) -> None:
    """Any change of a message: what still fits gives the same, and what is malformed never fits."""
    name, text = usual
    lines = text.split("\r\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "value", "key"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "value":
                lines[at] = lines[at].partition(":")[0] + ": " + data.draw(ODD)
            case "key":
                lines[at] = data.draw(ODD) + lines[at]
        if not lines:
            return
    changed = "\r\n".join(lines)
    found = fitting(name, changed)
    if found is not None:
        assert found == in_general(name, changed)
