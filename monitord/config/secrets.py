"""Secrets, which stand in files of their own or in the environment, never in arguments."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from monitord.config.errors import ConfigError

SECRET_MOST = 4096
"""Bytes that are read of a secret's file."""


def secret_of(
    key: str, what: str, folder: Path, file: str, variable: str, environment: Mapping[str, str]
) -> str:
    """From the environment's variable, or else from the file.

    ``key``: of the table, with the settings file before it; ``what``: as its keys call it;
    ``folder``: of the settings file.

    Raises:
        ConfigError: it is not there, is none, or everybody could read it.
    """
    if variable:
        secret = environment.get(variable, "")
        if not secret:
            raise ConfigError(f"{key}.{what}_env: the variable {variable} is not set")
    else:
        secret = _read(f"{key}.{what}_file", folder / file)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", secret) or len(secret) > 500:
        raise ConfigError(f"{key}: the {what} holds control characters or is over 500 long")
    return secret


def _read(key: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(SECRET_MOST).decode()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text in UTF-8") from None
    if mode & stat.S_IROTH:
        raise ConfigError(f"{key}: {path} can be read by everybody; chmod it to 600")
    secret = text.split("\n", 1)[0].strip()
    if not secret:
        raise ConfigError(f"{key}: the first line of {path} is empty")
    return secret
