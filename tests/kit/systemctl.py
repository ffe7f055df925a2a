"""What systemd would do with one service's unit file, for machines of tests, where none runs.

Done as in the unit: ExecStart= with the environment that a service gets, Type=notify, DynamicUser=
(an uid that owns nothing else), StateDirectory=, LoadCredential=, UMask=; SIGTERM to stop. Not
done, and so not shown by any test: Restart=, and what fences the service in (Protect*=, Restrict*=,
SystemCall*=, CapabilityBoundingSet=).
Of those `systemd-analyze verify` says only that they are well-formed.

    python systemctl.py ROOT systemctl|journalctl|systemd-analyze ARGUMENTS

ROOT is put before each absolute path of the unit. No module of the project is used.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

UID = 61184
"""The first of those that systemd takes for DynamicUser=."""

START_S, STOP_S = 60, 30


class Service:
    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name.removesuffix(".service")
        self.unit = root / f"etc/systemd/system/{self.name}.service"
        self.run = root / "run"
        self.pid_file = self.run / f"{self.name}.pid"
        self.journal = self.run / f"{self.name}.journal"
        self.credentials = self.run / "credentials" / f"{self.name}.service"

    def settings(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for line in self.unit.read_text().splitlines():
            if "=" in line and not line.startswith(("#", ";")):
                key, _, value = line.partition("=")
                found[key.strip()].append(value.strip())
        return found

    def pid(self) -> int | None:
        """Of the running process."""
        if not self.pid_file.exists():
            return None
        pid = int(self.pid_file.read_text())
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return None
        return None if state in "ZX" else pid

    def start(self) -> None:
        if self.pid() is not None:
            return
        settings = self.settings()
        self.run.mkdir(exist_ok=True)
        state = self.root / "var/lib" / settings["StateDirectory"][0]
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(int(settings["StateDirectoryMode"][0], 8))
        self._give(state)
        shutil.rmtree(self.credentials, ignore_errors=True)
        self.credentials.mkdir(parents=True, mode=0o500)
        for given in settings["LoadCredential"]:
            name, _, source = given.partition(":")
            copy = self.credentials / name
            shutil.copyfile(self._at(source), copy)
            copy.chmod(0o400)
        self._give(self.credentials)
        (command,) = settings["ExecStart"]
        command = command.replace("${CREDENTIALS_DIRECTORY}", str(self.credentials))
        program, *arguments = shlex.split(command)
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "CREDENTIALS_DIRECTORY": str(self.credentials),
            "STATE_DIRECTORY": str(state),
            # Where the tests keep the packages that a site has from its package registry.
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        with self._notify_socket() as told, self.journal.open("ab") as journal:
            environment["NOTIFY_SOCKET"] = told.getsockname()
            process = subprocess.Popen(
                [*self._as_user(program), self._at(program), *arguments],
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=journal,
                umask=int(settings["UMask"][0], 8),
                start_new_session=True,
            )
            self.pid_file.write_text(str(process.pid))
            self._wait_ready(process, told)

    def _notify_socket(self) -> socket.socket:
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.run / "notify"
        path.unlink(missing_ok=True)
        told.bind(str(path))
        path.chmod(0o777)
        return told

    def _wait_ready(self, process: subprocess.Popen[bytes], told: socket.socket) -> None:
        ended = os.pidfd_open(process.pid)
        try:
            if told not in select.select([told, ended], [], [], START_S)[0]:
                raise SystemExit(
                    f"Job for {self.name}.service failed. See journalctl -u {self.name}"
                )
            assert told.recv(100) == b"READY=1"
        finally:
            os.close(ended)

    def kill(self, number: int) -> None:
        pid = self.pid()
        if pid is None:
            return
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, number)
            if not select.select([handle], [], [], STOP_S)[0]:
                raise SystemExit(f"{self.name} did not end within {STOP_S} s")
        finally:
            os.close(handle)

    def _at(self, path: str) -> str:
        return f"{self.root}{path}"

    def _give(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, UID, UID, follow_symlinks=False)

    def _as_user(self, program: str) -> list[str]:
        if os.geteuid() != 0:
            return []
        command = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
        python = (Path(self._at(program)).parent / "python").resolve()
        if not all(p.stat().st_mode & 0o001 for p in (python, *python.parents)):
            # The test machine's Python lies where only root may read. A site's does not.
            caps = "-all,+dac_read_search"
            command += [f"--inh-caps={caps}", f"--ambient-caps={caps}"]
        return command


def systemctl(root: Path, arguments: list[str]) -> None:
    options = {a for a in arguments if a.startswith("-")}
    verb, *names = [a for a in arguments if not a.startswith("-")]
    if verb == "daemon-reload":
        return
    service = Service(root, names[0])
    if verb in ("stop", "restart") or (verb == "disable" and "--now" in options):
        service.kill(signal.SIGTERM)
    if verb in ("start", "restart") or (verb == "enable" and "--now" in options):
        service.start()
    elif verb == "kill":
        (name,) = (o.removeprefix("--signal=") for o in options)
        service.kill(getattr(signal, f"SIG{name}"))
    elif verb == "is-active":
        active = service.pid() is not None
        print("active" if active else "inactive")
        sys.exit(0 if active else 3)
    elif verb not in ("stop", "restart", "disable"):
        sys.exit(f"the tests' systemctl does not know {verb}")


def journalctl(root: Path, arguments: list[str]) -> None:
    name = arguments[arguments.index("-u") + 1]
    lines = arguments[arguments.index("-n") + 1]
    subprocess.run(["tail", "-n", lines, Service(root, name).journal], check=True)


def systemd_analyze(root: Path, arguments: list[str]) -> None:
    """The real one, on a copy of the unit whose paths are those of the test."""
    verb, path = arguments
    copy = root / "run" / Path(path).name
    copy.parent.mkdir(exist_ok=True)
    text = Path(path).read_text()
    copy.write_text(re.sub(r"(?m)^(ExecStart=)(?=/)", rf"\1{root}", text))
    here = Path(__file__).parent
    others = [p for p in os.environ["PATH"].split(":") if Path(p) != root / "bin"]
    environment = {**os.environ, "PATH": ":".join(others)}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        ["systemd-analyze", verb, str(copy)], env=environment, check=False, cwd=here
    )
    sys.exit(done.returncode)


if __name__ == "__main__":
    programs = {
        "systemctl": systemctl,
        "journalctl": journalctl,
        "systemd-analyze": systemd_analyze,
    }
    programs[sys.argv[2]](Path(sys.argv[1]), sys.argv[3:])
