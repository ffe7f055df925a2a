"""Being the only daemon on a ledger."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from monitord.assembly.errors import StartError


@contextlib.contextmanager
def alone(folder: Path | None) -> Iterator[None]:
    """Only one daemon may write one ledger. PostgreSQL sees to it by itself (store.postgres).

    Raises:
        StartError: another one runs, or the folder cannot be used.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"store.folder: {folder}: {error.strerror}") from None
    path = folder / "monitord.lock"
    try:
        file: IO[str] = path.open("a+")
    except OSError as error:
        raise StartError(f"store.folder: {path} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"another monitord already runs on {folder}; stop it, or name another store.folder"
            ) from None
        except OSError as error:
            raise StartError(f"store.folder: {path} cannot be locked: {error.strerror}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
    finally:
        file.close()
