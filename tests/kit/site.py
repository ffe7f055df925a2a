"""An administrator's machine for the guide: folders of its own, its commands in PATH, and an
Asterisk that has never heard of monitord, plain or with FreePBX's structure of files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.kit.systemctl import Service
from tests.lab.install import LabMissing, can_install, locked, remove_tree, required, run
from tests.lab.install import cache_folder as cache
from tests.lab.server import AsteriskServer

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "sqlite3": "sqlite3",
    "curl": "curl",
    "systemd-analyze": "systemd",
    "make": "make",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "setpriv": "util-linux",
}
"""Commands that following the guide takes, and Debian's packages that have them."""

FOLDERS = (
    *("/etc/systemd/system", "/etc/monitord"),
    *("/opt/monitord", "/var/lib/monitord", "/var/backups"),
)

FREEPBX_MANAGER = """[general]
enabled = yes
port = {port}
bindaddr = 127.0.0.1
displayconnects=no

{stagehand}
#include manager_additional.conf
#include manager_custom.conf
"""
"""As FreePBX/framework's amp_conf/astetc/manager.conf; the test's user stands for FreePBX's own."""

FREEPBX_EXTENSIONS = """#include extensions_override_freepbx.conf
#include extensions_additional.conf
#include extensions_custom.conf

[from-internal]
include => from-internal-noxfer
include => from-internal-xfer

[from-internal-noxfer]
include => from-internal-noxfer-custom

[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional
"""
"""The part of FreePBX/core's etc/extensions.conf through which a telephone dials."""

FREEPBX_CUSTOM = """[from-internal-custom]
exten => 1234,1,Playback(demo-congrats)
exten => 1234,2,Hangup()
"""


def tools() -> None:
    """Installs what is missing where that is allowed.

    Raises:
        LabMissing: with what is missing.
    """
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = sorted({p for tool, p in TOOLS.items() if shutil.which(tool, path=path) is None})
    if not missing:
        return
    if not (can_install() and required()):
        raise LabMissing(f"missing for the guide: {', '.join(missing)}")
    cache().mkdir(parents=True, exist_ok=True)
    with locked(cache() / "tools.lock"):
        # With RUNLEVEL nothing that comes with a package is started.
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        run(["apt-get", "-qq", "update"], environment)
        run(["apt-get", "-qq", "-y", "install", "--no-install-recommends", *missing], environment)


class Machine:
    """Everything that the guide's commands see and change, in a folder that goes with it."""

    def __init__(self, server: AsteriskServer) -> None:
        """``server`` has not been started yet."""
        self.server = server
        self.root = Path(tempfile.mkdtemp(prefix="monitord-guide-"))
        self.root.chmod(0o755)  # the service's user must get through
        self.etc = server.folder / "etc"
        for folder in ("bin", "dist", "etc/systemd/system", "var/lib", "var/backups", "opt"):
            (self.root / folder).mkdir(parents=True)
        self.page_port = server.ports.base + 30
        """Free in the server's block of ports."""
        self.at_the_end = contextlib.ExitStack()
        self.packages = self.root / "packages"
        _copy_packages(self.packages)
        self._lab = {n: (self.etc / n).read_text() for n in ("manager.conf", "extensions.conf")}
        self._commands()
        phones = self.etc / "pjsip.conf"
        phones.write_text(phones.read_text().replace("= monitord-supervisor", "= office"))
        for name in ("manager-general", "manager-monitord", "extensions-monitord"):
            (self.etc / f"{name}.conf").unlink()
        self.be_plain()

    # --- Asterisk ------------------------------------------------------------------------

    def be_plain(self) -> None:
        manager = re.sub(r"(?m)^#include .*\n", "", self._lab["manager.conf"])
        assert "[stagehand]" in manager and "monitord-" not in manager
        (self.etc / "manager.conf").write_text(manager)
        (self.etc / "extensions.conf").write_text(
            f"{self._site_dialplan()}\n[office]\ninclude => agents\n"
        )

    def be_freepbx(self) -> None:
        stagehand = self._lab["manager.conf"].partition("[stagehand]")[2]
        files = {
            "manager.conf": FREEPBX_MANAGER.format(
                port=self.server.ports.ami, stagehand=f"[stagehand]{stagehand}"
            ),
            "manager_additional.conf": "",
            "manager_custom.conf": "",
            "extensions.conf": FREEPBX_EXTENSIONS,
            "extensions_override_freepbx.conf": "",
            "extensions_additional.conf": (
                f"{self._site_dialplan()}\n[from-internal-additional]\ninclude => agents\n"
            ),
            "extensions_custom.conf": FREEPBX_CUSTOM,
        }
        for name, text in files.items():
            (self.etc / name).write_text(text)
        for command in ("manager reload", "dialplan reload"):
            self.server.cli(command)

    def _site_dialplan(self) -> str:
        return re.sub(r"(?m)^#include .*\n", "", self._lab["extensions.conf"])

    def asterisk_as_it_is(self) -> str:
        """All that the guide could have changed in it. Who created what stands in the dialplan."""
        asked = ("manager show settings", "manager show users", "dialplan show")
        files = {p.name: p.read_text() for p in self.etc.iterdir() if p.is_file()}
        # An order of its own each time; so are the contexts'.
        dialplan = "\n".join(sorted(self.server.cli("dialplan show").split("\n[ ")))
        said = [dialplan if c == "dialplan show" else self.server.cli(c) for c in asked]
        return "\n".join([*said, *(f"{name}:\n{files[name]}" for name in sorted(files))])

    # --- the shell -----------------------------------------------------------------------

    def _commands(self) -> None:
        asterisk = shlex.join(self.server.installed.command("-C", self.server._config))
        self._script("asterisk", f'exec {asterisk} "$@"')
        stand_in = Path(__file__).with_name("systemctl.py")
        for name in ("systemctl", "journalctl", "systemd-analyze"):
            started = shlex.join([sys.executable, str(stand_in), str(self.root), name])
            self._script(name, f'exec {started} "$@"')

    def _script(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {
            "PATH": f"{self.root}/bin:{Path(sys.executable).parent}:{usual}",
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            # A site's pip takes the packages from its registry. Here they are there already, in
            # the versions of the tests, and pip only sees that nothing is missing.
            "PYTHONPATH": str(self.packages),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }

    def here(self, text: str) -> str:
        """The guide's text with this machine's places. Nothing else of it is changed."""
        text = text.replace("/etc/asterisk", str(self.etc))
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w/]){folder}\b", f"{self.root}{folder}", text)
        text = text.replace("5038", str(self.server.ports.ami))
        text = text.replace("8080", str(self.page_port))
        if self.server.version == 16:
            text = text.replace("FILE=22", "FILE=16")
        return text

    def carry_wheel(self, made: str) -> None:
        """From the checkout to the machine, as somebody copies it."""
        shutil.copy(ROOT / made.strip(), self.root / "dist")

    @property
    def service(self) -> Service:
        return Service(self.root, "monitord")

    def remove(self) -> None:
        self.at_the_end.close()
        self.service.kill(signal.SIGKILL)
        remove_tree(self.root)


def make_wheel(machine: Machine, code: str) -> str:
    """The guide's first command, in the checkout; only one at a time can be made there."""
    (ROOT / ".stamps").mkdir(exist_ok=True)
    with (ROOT / ".stamps" / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["bash", "-euc", code],
            cwd=ROOT,
            env=machine.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        machine.carry_wheel(done.stdout.splitlines()[-1])
        return done.stdout


def _copy_packages(to: Path) -> None:
    """What the wheel needs at a site, and nothing of the tests' own tools."""
    todo, done = ["monitord"], set()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in done:
            continue
        done.add(name)
        package = metadata.distribution(name)
        for line in package.requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or any(
                wanted.marker.evaluate({"extra": e}) for e in ("", *_extras(line, name))
            ):
                todo.append(wanted.name)
        if name == "monitord":
            continue
        for file in package.files or []:
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.exists():
                target = to / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)  # with its time, so that what is compiled is current


def _extras(line: str, name: str) -> tuple[str, ...]:
    """monitord asks for SQLAlchemy's part for asyncio."""
    return ("asyncio",) if name == "sqlalchemy" and "asyncio" in line else ()
