"""Puts real Asterisk 22 and 16 into a cache outside the checkout, and sipp onto the machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VERSIONS = (22, 16)
# Debian 12 has no asterisk of its own; these suites have one of the wanted major version.
SUITES = {22: "sid", 16: "bullseye"}
MARKER = "complete"  # written last, beside the tree: its absence means a half-made tree
Say = Callable[[str], None]


class LabMissing(Exception):
    """A part of the lab is missing and cannot be installed here; the text says which."""


@dataclass(frozen=True)
class Installed:
    """One Asterisk that can be run: in a tree of its own, or the machine's (root is /)."""

    version: int
    root: Path

    @property
    def caged(self) -> bool:
        return self.root != Path("/")

    def command(self, *arguments: str) -> list[str]:
        cage = ["chroot", str(self.root)] if self.caged else []
        return [*cage, "asterisk", *arguments]

    def inside(self, path: Path) -> str:
        """The path as this Asterisk sees it."""
        return f"/{path.relative_to(self.root)}"

    def first(self, *patterns: str) -> str:
        """The first folder that is there, as this Asterisk sees it."""
        for pattern in patterns:
            for found in sorted(self.root.glob(pattern)):
                return self.inside(found)
        raise LabMissing(f"Asterisk {self.version} in {self.root} has none of {patterns}")

    @property
    def modules(self) -> str:
        return self.first(
            "usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules", "usr/lib64/asterisk/modules"
        )

    @property
    def data(self) -> str:
        return self.first("usr/share/asterisk", "var/lib/asterisk")


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("MONITORD_CACHE") or Path(base) / "monitord").absolute()


def required() -> bool:
    """Whether a missing lab is a failure (CI, root on Debian) and not a reason to skip."""
    return os.environ.get("CI") == "true" or can_install()


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def major_version(command: list[str]) -> int | None:
    """What `asterisk -V` says, for example 22 of "Asterisk 22.10.1~dfsg"; None if it fails."""
    with contextlib.suppress(OSError):
        said = subprocess.run([*command, "-V"], capture_output=True, text=True, check=False)
        if found := re.search(r"Asterisk (?:certified/)?(\d+)", said.stdout):
            return int(found[1])
    return None


def find(version: int) -> Installed | None:
    """The Asterisk that is there already."""
    tree = cache_folder() / f"asterisk-{version}"
    if os.geteuid() == 0 and marker_of(tree).exists():
        return Installed(version, tree)
    if shutil.which("asterisk") and major_version(["asterisk"]) == version:
        return Installed(version, Path("/"))
    return None


def marker_of(tree: Path) -> Path:
    return tree / MARKER


def find_all() -> list[str]:
    """What is missing, in words; empty when the lab is complete."""
    missing = [f"Asterisk {version}" for version in VERSIONS if find(version) is None]
    if shutil.which("sipp") is None:
        missing.append("sipp (Debian: sip-tester)")
    return missing


def install(version: int, say: Say = print) -> Installed:
    """Returns this Asterisk, after installing what is missing. Safe to call at any time."""
    found = find(version)
    if found and shutil.which("sipp"):
        return found
    if not can_install():
        raise LabMissing(
            f"{', '.join(find_all())}: not here, and only root on Debian can install it. "
            f"An Asterisk {version} and a sipp in PATH serve as well."
        )
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    tree = cache / f"asterisk-{version}"
    with locked(cache / "tools.lock"):
        install_tools(say)
    with locked(cache / f"asterisk-{version}.lock"):
        if found := find(version):  # another process has just done it
            return found
        make_tree(version, tree, say)
    return Installed(version, tree)


def install_tools(say: Say) -> None:
    if shutil.which("sipp") and shutil.which("debootstrap"):
        return
    step("sipp and debootstrap, by apt", say)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    run([*apt, "update"], environment)
    # debian-archive-keyring: a suite may be signed with a key newer than the machine. Stable
    # updates bring it, and apt verifies them with the keys the machine trusts already.
    wanted = ["debootstrap", "sip-tester", "debian-archive-keyring"]
    run([*apt, "install", "--no-install-recommends", *wanted], environment)


def make_tree(version: int, tree: Path, say: Say) -> None:
    suite = SUITES[version]
    began = time.monotonic()
    if tree.exists():
        step(f"Asterisk {version}, 1 of 4: removing a half-made {tree}", say)
        remove_tree(tree)
    tree.mkdir(parents=True)
    refuse_mounts(tree)
    step(f"Asterisk {version}, 2 of 4: debootstrap of {suite}, about 90 s", say)
    include = "--include=asterisk,ca-certificates"
    # Without --no-check-gpg, and on purpose: an unverifiable suite is an error here.
    run(["debootstrap", "--variant=minbase", include, suite, str(tree), mirror()])
    step(f"Asterisk {version}, 3 of 4: removing the downloaded packages", say)
    run(["chroot", str(tree), "apt-get", "clean"])
    step(f"Asterisk {version}, 4 of 4: asking for its version", say)
    got = major_version(["chroot", str(tree), "asterisk"])
    if got != version:
        raise LabMissing(f"Debian {suite} has Asterisk {got} now, the lab wants {version}")
    marker_of(tree).write_text(f"{suite}\n")
    say(f"lab: Asterisk {version} is in {tree} after {time.monotonic() - began:.0f} s")


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses, not that of its security updates."""
    wanted = "$(REPO_URI) $(LABEL) $(COMPONENT)"
    said = run(["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"])
    for line in said.splitlines():
        address, *rest = line.split()
        if rest == ["Debian", "main"]:
            return address
    raise LabMissing("apt of this machine knows no Debian mirror (apt-get indextargets)")


def refuse_mounts(folder: Path) -> None:
    """Raises if anything is mounted in the folder: removing it would empty what is mounted."""
    inside = f"{folder.resolve()}/"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # field 5 is the mount point; blanks and the like are octal there
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
        if f"{point}/".startswith(inside):
            raise LabMissing(f"{point} is mounted inside {folder}: unmount it, then try again")


def remove_tree(folder: Path) -> None:
    refuse_mounts(folder)
    shutil.rmtree(folder)


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise LabMissing(f"{' '.join(command)} ended with {done.returncode}:\n{last}")
    return done.stdout


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def step(text: str, say: Say) -> None:
    say(f"lab: {text}")
