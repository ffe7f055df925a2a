"""From a channel's name to the endpoint that it belongs to."""

from __future__ import annotations

import re

# ast_channel_alloc appends "-" and eight hex digits, at least; the endpoint may itself hold
# hyphens, so only the last group goes (ami-facts 1.6).
_SERIAL = re.compile(r"-[0-9a-f]{8,}$")
_LOCAL_OPTIONS = re.compile(r"/[nmbj]+$")
_LOCAL_HALF = re.compile(r"-[0-9a-f]{8,};[12]$")


def endpoint_of(channel: str) -> str:
    """``PJSIP/1001-0000002a`` is of ``PJSIP/1001``, ``Local/9@x-00000001;2`` of ``Local/9@x``."""
    if channel.startswith("Local/"):
        return _LOCAL_HALF.sub("", channel)
    return _SERIAL.sub("", channel)


def interface_of(member: str) -> str:
    """A queue member's interface without the options of a Local channel, which its channels' names
    do not carry: ``Local/9@x/n`` rings ``Local/9@x``."""
    return _LOCAL_OPTIONS.sub("", member) if member.startswith("Local/") else member


def is_local(channel: str) -> bool:
    """Whether this is one half of a Local channel, which nobody's telephone is."""
    return channel.startswith("Local/")


def is_snoop(channel: str) -> bool:
    """Whether an ARI snoop made this channel (res_stasis_snoop.c)."""
    return channel.startswith("Snoop/")
