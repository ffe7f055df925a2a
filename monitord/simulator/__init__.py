"""A small call centre that speaks AMI over TCP; it knows nothing of the rest of monitord."""

from monitord.simulator.settings import Settings, User
from monitord.simulator.simulator import Simulator

__all__ = ["Settings", "Simulator", "User"]
