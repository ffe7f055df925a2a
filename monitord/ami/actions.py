"""All that can be said to a PBX: one closed table of actions, and the guard before the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MAX_VALUE = 900
"""Bytes of one value to Asterisk, whose line buffer holds 1024 (manager.h:298)."""

NO_SUCH_CHANNEL = "No such channel"
"""What Asterisk answers to Status and Hangup of a channel that is gone (manager.c, 16 to 23). Any
other refusal says nothing about the channel."""


class AmiError(Exception):
    """An action was refused, or could not be sent or answered. The text is for a person."""


class NotSentError(AmiError):
    """Not a byte of it left this process."""


class LinkLostError(AmiError):
    """The connection ended before the answer came; whether the action was done is unknown."""


class DeadlineError(AmiError):
    """No answer in time; whether the action was done is unknown."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One action that may be sent, and what its answer is made of."""

    fields: frozenset[str] = frozenset()
    """Headers that it may carry, beside Action and ActionID."""
    items: frozenset[str] = frozenset()
    """Events that are items of its list. Another event with our ActionID, such as somebody's
    OriginateResponse, is none."""
    end: str = ""
    """The event that ends its list; empty where it has none."""


ACTIONS: Mapping[str, Kind] = MappingProxyType(
    {
        "Challenge": Kind(frozenset({"AuthType"})),
        "Login": Kind(frozenset({"AuthType", "Username", "Key", "Events"})),
        "Ping": Kind(),
        "CoreStatus": Kind(),
        "CoreSettings": Kind(),
        "CoreShowChannels": Kind(
            items=frozenset({"CoreShowChannel"}), end="CoreShowChannelsComplete"
        ),
        "Status": Kind(frozenset({"Channel"}), frozenset({"Status"}), "StatusComplete"),
        "QueueStatus": Kind(
            items=frozenset({"QueueParams", "QueueMember", "QueueEntry"}),
            end="QueueStatusComplete",
        ),
        "DeviceStateList": Kind(
            items=frozenset({"DeviceStateChange"}), end="DeviceStateListComplete"
        ),
        "Hangup": Kind(frozenset({"Channel", "Cause"})),
        # For `monitord check` only: it names exactly the actions that the user may send, so that
        # the right to hang up is known without hanging anything up. It changes nothing.
        "ListCommands": Kind(),
    }
)
"""No other action leaves this process, whoever asks (ami-facts 3.2 and I7)."""


def check_action(name: str, fields: Mapping[str, str]) -> Kind:
    """Refuse what is not in the table, and what could become another header or another action
    on Asterisk's side.

    Raises:
        NotSentError: naming the field and the rule. Asterisk takes a bare LF for a line's end
            (manager.c:7188) and panoramisk would send it.
    """
    kind = ACTIONS.get(name)
    if kind is None:
        raise NotSentError(f"{name!r} is no action that may be sent")
    for key, value in fields.items():
        if key not in kind.fields:
            raise NotSentError(f"{name}: {key!r} is no header that it may carry")
        if not isinstance(value, str) or not value.isprintable():
            # Refuses surrogates too, which could not be encoded.
            raise NotSentError(f"{key}: control characters are not allowed")
        if len(value.encode()) > MAX_VALUE:
            raise NotSentError(f"{key}: longer than {MAX_VALUE} bytes")
    return kind
