"""How a row of the ledger looks whose person, or number, was erased: a pseudonym stands where the
id or the number was, so that rows of the same one are still known as such."""

from __future__ import annotations

import re

NAME = "Erased person"
ENDPOINT = "erased"
TEXT = "erased"

_PSEUDONYM = re.compile(r"[pn][0-9a-f]{24}")


def is_pseudonym(value: object) -> bool:
    return isinstance(value, str) and _PSEUDONYM.fullmatch(value) is not None
