"""Who may do what: data in one table. What no row grants is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Permission = Literal["supervision.see", "supervision.disconnect", "history.export"]


class Role(StrEnum):
    """Until the roster is built a person in the settings has one of these two."""

    VIEWER = "viewer"
    SUPERVISOR = "supervisor"


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({"supervision.see", "history.export"}),
    Role.SUPERVISOR: frozenset({"supervision.see", "supervision.disconnect", "history.export"}),
}
