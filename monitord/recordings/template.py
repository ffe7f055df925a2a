"""The address of a recording where the site's store of them is a web server. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from msgspec import Struct

PLACES = ("file", "path", "uniqueid", "linkedid", "call", "date")
OF_FILE = ("file", "path")
"""Those that only what the PBX told of the file can fill."""

_PLACE = re.compile(r"\{([^{}]*)\}")


class Template(Struct, frozen=True):
    text: str

    @property
    def of_file(self) -> bool:
        """Whether it can be filled only where the PBX told the file."""
        return any(place in OF_FILE for place in _PLACE.findall(self.text))

    def fill(self, values: Mapping[str, str]) -> str:
        """Values are encoded, so that none is more than a part of the address."""

        def one(match: re.Match[str]) -> str:
            segments = values[match[1]].split("/") if match[1] == "path" else [values[match[1]]]
            return "/".join(quote(segment, safe="") for segment in segments)

        return _PLACE.sub(one, self.text)


def fault_of(text: str) -> str:
    """Why it is no template; empty where it is one."""
    for place in _PLACE.findall(text):
        if place not in PLACES:
            return f"{{{place}}} is not known; there are: {', '.join(PLACES)}"
    if re.search(r"[{}]", _PLACE.sub("", text)):
        return "has a brace that is not closed"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "must begin with http:// or https:// and a host"
    if _PLACE.search(parts.netloc):
        return "must not have a place in its host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or a password"
    if parts.fragment or "#" in text:
        return "must not have a part after #"
    if not _PLACE.search(text):
        return "must have a place such as {file}, or it is the same for each recording"
    return ""


def day_of(at: int) -> str:
    """Of an instant in ms UTC, as ``date`` has it: in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def name_of(address: str) -> str:
    """The last part of its path, by which one knows the kind of file."""
    return PurePosixPath(urlsplit(address).path).name
