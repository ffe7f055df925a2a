"""What tests do on the stage: calls, supervisors, labels. Each waits for Asterisk's own word."""

from __future__ import annotations

from tests.lab.calls import Call
from tests.lab.supervisors import BARGE, COACH, MONITOR, SWITCH, TAKEOVER, Supervisors
from tests.lab.transfers import Transfers

__all__ = ["BARGE", "COACH", "MONITOR", "SWITCH", "TAKEOVER", "Call", "Scene"]


class Scene(Transfers, Supervisors):
    """Everything that happens in a call centre, on one server."""
