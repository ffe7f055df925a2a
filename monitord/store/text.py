"""The columns' type of text, which both databases take in the same way.

PostgreSQL takes no NUL and neither database a half of a surrogate pair; one such character would
keep a whole batch of rows from being written, for ever. What AMI says comes without them
(``ami.protocol``), but a login or an id that somebody types may hold any. So they are replaced
here, in what is written and in what is looked for alike.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy import Text as PlainText

_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class Text(TypeDecorator[str]):
    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else _IMPOSSIBLE.sub(REPLACEMENT, value)


def clean(value: Any) -> Any:
    """The same, in all texts of a value that becomes JSON."""
    match msgspec.to_builtins(value):
        case str(text):
            return _IMPOSSIBLE.sub(REPLACEMENT, text)
        case list(items):
            return [clean(item) for item in items]
        case dict(items):
            return {clean(key): clean(item) for key, item in items.items()}
        case other:
            return other
