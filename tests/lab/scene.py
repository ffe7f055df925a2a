"""What tests do on the stage: calls, supervisors, labels. Each waits for Asterisk's own word."""

from __future__ import annotations

from tests.lab.calls import Call, Calls
from tests.lab.supervisors import BARGE, COACH, MONITOR, Supervisors

__all__ = ["BARGE", "COACH", "MONITOR", "Call", "Scene"]


class Scene(Calls, Supervisors):
    """Everything that happens in a call centre, on one server."""
