"""The headers of one AMI message. PURE."""

from __future__ import annotations

Headers = dict[str, str]

_MULTI = "ChanVariable"
_IDENTITY = ("Event", "Uniqueid", "Channel", "ActionID")
"""Ends of the names of headers that say what a message is about."""


class MalformedError(ValueError):
    """A message that nothing can be made of. The text names the header at fault."""


def headers_of(text: str) -> Headers:
    """Header name to value; a line without a colon is no header.

    Of a header that comes twice the first one counts, and ``ChanVariable`` is joined by CRLF,
    which no value of it can contain.

    Raises:
        MalformedError: the message says twice, and differently, what it is about. AppData and
            others come unescaped (ami-facts 0.11), so the second one may be a caller's forgery.
    """
    headers: Headers = {}
    for line in text.split("\r\n"):
        key, colon, value = line.partition(":")
        if not colon:
            continue
        if value[:1] == " ":
            value = value[1:]
        if key not in headers:
            headers[key] = value
        elif key.endswith(_MULTI):
            headers[key] += "\r\n" + value
        elif key.endswith(_IDENTITY) and headers[key] != value:
            raise MalformedError(f"{headers.get('Event', '?')} with two of {key}")
    return headers
