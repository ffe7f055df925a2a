"""What is said where the ledgers cannot be used."""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """The database cannot be used. The text says which and why, for the administrator."""


def left_alone(setting: str) -> str:
    """The end of a refusal; ``setting`` is the key that names the database."""
    return f"It was left as it is; restore a backup or name another {setting}."


def emptied(name: str, known_from: Path) -> str:
    """That a database is as new, though something beside it tells of rows in it."""
    return (
        f"database {name} is empty, but {known_from} tells of an audit log in it: the database, or "
        "the file with “-wal” at the end that belongs to it, was damaged or removed. It was left "
        "as it is. Put it back from a backup; to begin with an empty history, move "
        f"{known_from.name} away"
    )
