"""What a run of the simulator can be told, with its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

# AMI versions that go with the Asterisk versions we imitate (include/asterisk/manager.h).
VERSIONS = {16: ("5.0.5", "16.30.1"), 22: ("11.0.0", "22.10.1")}

CLASSES = (
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "cc",
    "aoc",
    "test",
    "security",
    "message",
)

BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65535),
    "seed": (0, 2**63 - 1),
    "speed": (0.1, 1000.0),
    "agents": (1, 2000),
    "supervisors": (0, 900),
    "supervisions": (0, 900),
    "calls_per_hour": (0, 100_000),
    "outages_per_hour": (0.0, 60.0),
    "silent_share": (0.0, 1.0),
    "payment_share": (0.0, 1.0),
    "write_timeout": (0.05, 600.0),
    "max_output": (1024, 2**30),
}


@dataclass(frozen=True, slots=True)
class User:
    """One entry of manager.conf."""

    name: str = "monitord"
    secret: str = field(default="", repr=False)
    read: frozenset[str] = frozenset({"system", "call", "agent", "dialplan", "user"})
    write: frozenset[str] = frozenset({"call", "reporting"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds. `speed` 0 stops the clock: only `Simulator.advance` moves it."""

    user: User
    host: str = "127.0.0.1"
    port: int = 5038
    seed: int = 1
    speed: float = 1.0
    agents: int = 20
    supervisors: int = 4
    supervisions: int = 0  # at once; 0: half of the supervisors or more
    calls_per_hour: int = 0  # of customers and agents; 0: as many as keep the agents busy
    outages_per_hour: float = 0.0  # on average; every fourth is a crash of the PBX
    version: int = 22
    wall: float | None = None  # epoch at which clients can attach; None: the real one
    truth: str | None = None  # file for the truth log
    silent_share: float = 0.05  # calls whose agent leg carries no audio
    payment_share: float = 0.0  # long calls in which the customer pays for a while
    channelvars: tuple[str, ...] = ("CAMPAIGN", "LIST", "RESULT")
    timestamps: bool = True
    system_name: str = ""
    write_timeout: float = 5.0
    max_output: int = 4 * 2**20  # bytes a client may leave unread
    auth_timeout: float = 30.0
    failed_login_delay: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if name == "speed" and value == 0:
                continue
            if not low <= value <= high:
                raise ValueError(f"{name} must be between {low:g} and {high:g}, not {value}")
        if self.version not in VERSIONS:
            raise ValueError(f"version must be one of {sorted(VERSIONS)}, not {self.version}")
        unknown = (self.user.read | self.user.write) - {*CLASSES, "all"}
        if unknown:
            raise ValueError(f"no such class: {', '.join(sorted(unknown))}")
        if not self.user.secret:
            raise ValueError("the user needs a secret")

    @property
    def warm_up(self) -> float:
        """How long the centre has been open when the first client can attach, so that it finds a
        living one. A large one is left less time, as all of it costs the start."""
        return 900.0 if self.agents <= 100 else 300.0

    @property
    def ami_version(self) -> str:
        return VERSIONS[self.version][0]

    @property
    def asterisk_version(self) -> str:
        return VERSIONS[self.version][1]
