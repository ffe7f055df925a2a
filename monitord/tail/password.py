"""Where the password comes from: a file, the environment, or the person. Never an argument, which
every user of the machine could read."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from monitord.tail.connection import RefusedError

VARIABLE = "MONITORD_PASSWORD"
MOST = 1024
"""Characters; the API takes no more either."""


def password_of(login: str, file: Path | None) -> str:
    """Raises:
    RefusedError: there is none that could be right, naming where it came from.
    """
    if file is not None:
        source, text = f"--password-file: {file}", _first_line(file)
    elif VARIABLE in os.environ:
        source, text = VARIABLE, os.environ[VARIABLE]
    elif sys.stdin.isatty():
        source, text = "the password", getpass.getpass(f"Password of {login}: ")
    else:
        raise RefusedError(f"no password: give --password-file or {VARIABLE}")
    if not 1 <= len(text) <= MOST:
        raise RefusedError(f"{source}: must be 1 to {MOST} characters long")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise RefusedError(f"{source}: is not text in UTF-8")
    return text


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.readline(4 * MOST + 2).decode().rstrip("\r\n")
    except OSError as error:
        raise RefusedError(f"--password-file: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RefusedError(f"--password-file: {path} is not text in UTF-8") from None
