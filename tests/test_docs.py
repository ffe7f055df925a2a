"""Documents that would silently grow wrong."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from monitord import config
from monitord.domain.words import Provenance, SpyType
from tests.kit import faults
from tests.kit.cases import declared, listed
from tests.kit.fault_table import FAULTS

ROOT = Path(__file__).parent.parent


def test_every_case_is_listed_and_was_shown() -> None:
    patterns = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(text))) for text in declared()]
    for case, shown in listed().items():
        assert any(p.fullmatch(case) for p in patterns), f"no test shows “{case}”; make traces"
        assert all(s == "shown" or s.startswith("cannot: ") for s in shown), (case, shown)
    for pattern in patterns:
        assert any(pattern.fullmatch(case) for case in listed()), f"{pattern.pattern}; make traces"


def test_every_fault_has_a_test_that_shows_it() -> None:
    assert faults.declared().keys() == FAULTS.keys()
    assert all(shown for shown in faults.declared().values())
    upper, lower = faults.written()
    assert upper == faults.structure(), "make generate"
    assert lower.count("\n") > 5, "what was shown last; make faults KEEP=1"


def _keys(struct: type, prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for field in msgspec.structs.fields(struct):
        inner = field.type
        args = getattr(inner, "__args__", ())
        nested = next(
            (t for t in (inner, *args) if isinstance(t, type) and issubclass(t, msgspec.Struct)),
            None,
        )
        if nested is None:
            keys.add(prefix + field.name)
        else:
            many = "[]" if getattr(inner, "__origin__", None) is list else ""
            keys |= _keys(nested, f"{prefix}{field.name}{many}.")
    return keys


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    missing = []
    for key in _keys(config.Settings):
        table, _, name = key.rpartition(".")
        line = f"`{key}`" in text or re.search(rf"`{re.escape(table)}\.[^|]*`\.{name}`", text)
        if not (line or f"`{key}." in text or f"`{key}[]." in text):
            missing.append(key)
    assert missing == []


def test_closed_vocabularies_stand_in_the_glossary() -> None:
    text = (ROOT / "docs" / "words.md").read_text()
    missing = [w.value for w in (*SpyType, *Provenance) if w.value not in text]
    assert missing == []


def test_each_decision_has_its_own_number() -> None:
    numbers = [path.name[:5] for path in sorted((ROOT / "docs" / "decisions").iterdir())]
    assert numbers == [f"{n:04}-" for n in range(1, len(numbers) + 1)]
