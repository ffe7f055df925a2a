"""One running Asterisk with its phones: started, stopped, killed and paused by its own pid."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.lab.config import user_file, write_config
from tests.lab.install import Installed, cache_folder, remove_tree
from tests.lab.phones import Phones
from tests.lab.ports import HOST, Ports, take_ports
from tests.lab.processes import write_record

START_DEADLINE = 60.0  # s; it takes 2 to 6
STOP_DEADLINE = 10.0


def make_folder(installed: Installed) -> Path:
    # in the tree itself, because a chroot sees nothing else; so no mounts are needed
    parent = installed.root if installed.caged else cache_folder() / "asterisk-host"
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="lab-", dir=parent))


class AsteriskServer:
    """A server in a folder of its own, which goes with it. Its methods block.

    They do so on purpose: a server outlives the event loop of one test. In a test use
    `await asyncio.to_thread(server.restart)`.
    """

    def __init__(
        self,
        installed: Installed,
        ports: Ports | None = None,
        *,
        by_hand: bool = False,
        dtmf: bool = False,
    ) -> None:
        """`dtmf` switches on the option of the shipped user's file that shows the keypad."""
        self.installed = installed
        self.version = installed.version
        self.ports = ports or take_ports()
        self.folder = make_folder(installed)
        self.by_hand = by_hand
        self.phones = Phones(self.folder / "phones", self.ports)
        self.process: subprocess.Popen[bytes] | None = None
        self._record()
        self.secrets = {user: secrets.token_hex(24) for user in ("monitord", "stagehand")}
        write_config(installed, self.folder, self.ports, self.secrets["stagehand"])
        self._dtmf = dtmf
        self._user_changed = False
        self._last_second = 0  # in which it was last alive
        self._forgetful = False  # killed: the phones still hold calls that it knows nothing of
        self._write_user(dtmf=dtmf)
        self.secret_file = self.folder / "monitord.secret"
        self.secret_file.touch(mode=0o600)
        self.secret_file.write_text(self.secrets["monitord"])

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / "full"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Returns when Asterisk has said FullyBooted."""
        if not self.phones.processes:
            self.phones.start()
        # Uniqueids are made of the second of a channel's beginning and a counter. A lab's Asterisk
        # can be up again within the second in which it was killed; no real one can.
        while int(time.time()) <= self._last_second:
            time.sleep(0.05)
        command = self.installed.command("-C", self._config, "-f")
        with (self.folder / "console.log").open("ab") as log:
            # a session of its own: Ctrl-C is for us, who then end it in order
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._record()
        self._wait_booted(self.process)

    def _write_user(
        self,
        secret: str | None = None,
        *,
        read: str | None = None,
        write: str | None = None,
        dtmf: bool = False,
    ) -> None:
        text = user_file(
            self.version, secret or self.secrets["monitord"], read=read, write=write, dtmf=dtmf
        )
        (self.folder / "etc" / "manager-monitord.conf").write_text(text)

    def change_user(
        self,
        *,
        secret: str | None = None,
        read: str | None = None,
        write: str | None = None,
        dtmf: bool = False,
    ) -> None:
        """Gives the user monitord another secret or other rights, from its next login on.

        A connection that is there keeps what it has. `restore_user` is the way back, and is
        done after each test.
        """
        self._user_changed = True
        self._write_user(secret, read=read, write=write, dtmf=dtmf)
        if self.running:
            self.cli("manager reload")

    def restore_user(self) -> None:
        self.change_user(dtmf=self._dtmf)
        self._user_changed = False

    def reload(self) -> None:
        """Every module reads its configuration again; calls and connections stay."""
        self.cli("core reload")

    def _record(self) -> None:
        pids = self.phones.pids
        if self.process is not None:
            pids["asterisk"] = self.process.pid
        write_record(self.folder, self.version, self.ports.ami, self.by_hand, pids)

    def call_in(self, number: str, did: str, headers: dict[str, str]) -> None:
        """A customer's phone rings in through the trunk; it hangs up only when it is told."""
        self.phones.call(number, did, headers)
        self._record()

    @property
    def _config(self) -> str:
        return self.installed.inside(self.folder / "etc" / "asterisk.conf")

    def _wait_booted(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"Asterisk ended at its start:\n{self.last_words()}")
            with contextlib.suppress(OSError):
                if self._booted(deadline):
                    return
            time.sleep(0.05)  # a listening port cannot be waited for otherwise
        raise TimeoutError(f"no FullyBooted in {START_DEADLINE} s:\n{self.last_words()}")

    def _booted(self, deadline: float) -> bool:
        login = (
            f"Action: Login\r\nUsername: stagehand\r\nSecret: {self.secrets['stagehand']}\r\n\r\n"
        )
        left = max(0.1, deadline - time.monotonic())
        with socket.create_connection((HOST, self.ports.ami), left) as connection:
            connection.sendall(login.encode())
            said = b""
            while block := connection.recv(65536):
                said += block
                if b"Event: FullyBooted\r\n" in said:
                    return True
        return False

    def last_words(self) -> str:
        texts = (
            path.read_text(errors="replace").splitlines()[-15:]
            for path in (self.folder / "console.log", self.log_file)
            if path.exists()
        )
        return "\n".join("\n".join(text) for text in texts)

    def cli(self, command: str) -> str:
        """What Asterisk's own console says, through its control socket."""
        shell = self.installed.command("-C", self._config, "-rx", command)
        done = subprocess.run(
            shell, capture_output=True, text=True, timeout=STOP_DEADLINE, check=False
        )
        return done.stdout + done.stderr

    def stop(self) -> None:
        """Ends Asterisk in order (a Shutdown event), or by force if it does not."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.cli("core stop now")
            self.process.wait(STOP_DEADLINE)
        self.kill()

    def kill(self) -> None:
        """As when the machine fails: no event, only the end of the connection."""
        if self.process is not None:
            self._forgetful |= self.running
            self.process.kill()
            self.process.wait()
            self._last_second = int(time.time())
            self.process = None

    def pause(self) -> None:
        """It keeps its connections and says nothing more, as behind a dead network."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def ready(self) -> None:
        """Makes good what a test has done to it: killed, stopped, paused, another user."""
        if self._forgetful:
            self.phones.stop()
            self.phones.start()
            self._forgetful = False
        if self.running:
            self.resume()
            self._record()
        else:
            self.start()
        if self._user_changed:
            self.restore_user()

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends everything and removes the folder."""
        self.stop()
        self.phones.stop()
        remove_tree(self.folder)
        self.ports.release()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.remove)
