"""Debian's PostgreSQL server, installed where it may be, on a port and in a folder of its own.

It is set as carelessly as a server can be (no fsync, no waiting for a commit), so that what
monitord promises is what monitord sets for its own sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.lab.install import LabMissing, cache_folder, locked, remove_tree, required, run
from tests.lab.processes import wait_gone

T = TypeVar("T")

DEADLINE = 60.0
_PREFIX = "monitord-postgres-"
_CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")
_NOT_SAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",
    "jit": "off",
}


def find_server() -> Path:
    """The folder of the server's programs; installed by apt where that is allowed.

    Raises:
        LabMissing: there is none and none can be installed.
    """
    if found := _installed():
        return found
    if not required():
        raise LabMissing("PostgreSQL's server is missing (Debian: apt-get install postgresql)")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked(cache_folder() / "tools.lock"):
        if found := _installed():
            return found
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        install = [*apt, "install", "--no-install-recommends"]
        run([*apt, "update"], environment)
        run([*install, "postgresql-common"], environment)
        with _no_cluster_of_the_machine():
            run([*install, "postgresql"], environment)
    if found := _installed():
        return found
    raise LabMissing("PostgreSQL was installed, but its server is not there")


def _installed() -> Path | None:
    """The newest of Debian's, or the one in PATH."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    debians = sorted(folders, key=lambda f: float(f.parent.name), reverse=True)
    in_path = shutil.which("postgres")
    for folder in [*debians, *([Path(in_path).resolve().parent] if in_path else [])]:
        if all((folder / name).exists() for name in ("postgres", "initdb")):
            return folder
    return None


@contextmanager
def _no_cluster_of_the_machine() -> Iterator[None]:
    """Installing would make and start a database server for the whole machine."""
    before = _CLUSTER_SETTINGS.read_text()
    _CLUSTER_SETTINGS.write_text(before + "\ncreate_main_cluster = false\n")
    try:
        yield
    finally:
        _CLUSTER_SETTINGS.write_text(before)


class Other:
    """A connection of somebody else, for tests to look and meddle with. It has a thread of its own,
    so that it can be used while the test's loop stands still."""

    def __init__(self, **address: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._connection = self._do(asyncpg.connect(timeout=DEADLINE, **address))
        except BaseException:
            self._end()
            raise

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def run(self, sql: str) -> None:
        self._do(self._connection.execute(sql))

    def read(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._do(self._connection.fetch(sql))]

    def close(self) -> None:
        async def end() -> None:
            self._connection.terminate()

        self._do(end())
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()


class Server:
    """One server. It ends with the process that started it, however that ends; its folder is
    removed then, or by the next one."""

    def __init__(self) -> None:
        self.programs = find_server()
        cache_folder().mkdir(parents=True, exist_ok=True)
        with locked(cache_folder() / "postgres.lock"):  # a folder is seen with its lock held
            _remove_left_behind()
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._lock = (self.folder / "owner.lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        self.password = secrets.token_hex(8)
        """Of the role monitord, which signs in with it on the port, and which may do nothing but
        own its databases. Others come by the socket."""
        self.port = _free_port()
        self._as: list[str] = []
        self.user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:  # as which the server refuses to run
            account = _account()
            self.user = account.pw_name
            self._as = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
            for folder in (self.folder, self.data):
                os.chown(folder, account.pw_uid, account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        options = ["--username=admin", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        run([*self._command("initdb"), "-D", str(self.data), *options, "--auth=trust"])
        with (self.data / "pg_hba.conf").open("w") as file:
            file.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in _NOT_SAFE.items())
            file.write("listen_addresses = '127.0.0.1'\nlogging_collector = off\n")
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        try:
            self.start()
        except AssertionError:  # another worker took the port at the same moment
            self.port = _free_port()
            self.start()
        self.admin = Other(**self.socket())
        self.admin.run(f"CREATE ROLE monitord LOGIN PASSWORD '{self.password}'")
        self._made = 0

    def _command(self, program: str) -> list[str]:
        # The signal is an immediate stop, which leaves nothing running.
        death = ["setpriv", "--pdeathsig", "QUIT", *self._as]
        return [*death, str(self.programs / program)]

    def socket(self, database: str = "postgres", user: str = "admin") -> dict[str, Any]:
        """For asyncpg: the way of the administrator."""
        return {
            "host": str(self.folder),
            "port": self.port,
            "user": user,
            "database": database,
            "ssl": False,
        }

    def start(self) -> None:
        """Until it takes connections."""
        log = self.folder / "log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [*self._command("postgres"), "-D", str(self.data), "-p", str(self.port)],
                stdout=file,
                stderr=file,
                cwd="/",
            )
        pause = threading.Event()
        for _ in range(int(DEADLINE / 0.05)):
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                Other(**self.socket()).close()
                return
            if self._process.poll() is not None:
                break
            pause.wait(0.05)
        raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}")

    def kill(self) -> None:
        """All its processes at once, as a machine fails."""
        assert self._process is not None
        children = _children(self._process.pid)
        self._send(signal.SIGKILL, self._process.pid, *children)
        self._process.wait(DEADLINE)
        for pid in children:
            wait_gone(pid)

    def stop_answering(self) -> None:
        """All its processes stand still, as those of a machine that hangs."""
        assert self._process is not None
        self._send(signal.SIGSTOP, self._process.pid, *_children(self._process.pid))

    def go_on(self) -> None:
        assert self._process is not None
        # First the children: else some are gone when their turn comes, and others not yet seen.
        self._send(signal.SIGCONT, *_children(self._process.pid), self._process.pid)

    def _send(self, number: signal.Signals, *pids: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def connect_again(self) -> None:
        """The administrator's connection, after a kill."""
        self.admin.close()
        self.admin = Other(**self.socket())

    def new_database(self, options: str = "TEMPLATE template0", owner: str = "monitord") -> str:
        """The name of a new one."""
        self._made += 1
        name = f"m{self._made}"
        self.admin.run(f"CREATE DATABASE {name} OWNER {owner} {options}")
        return name

    def drop(self, name: str) -> None:
        self.admin.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def end(self) -> None:
        self.admin.close()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(DEADLINE)
        remove_tree(self.folder)
        self._lock.close()


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _free_port() -> int:
    """Below those of the lab and of outgoing connections, so that it is still free after a kill."""
    while True:
        port = secrets.choice(range(12_000, 20_000))
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _children(parent: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _remove_left_behind() -> None:
    """Folders whose owner is gone; the server went with it."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/owner.lock"):
        with contextlib.suppress(OSError), lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(lock.parent)
