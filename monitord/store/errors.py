"""What is said where the ledgers cannot be used."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used. The text says which and why, for the administrator."""


def left_alone(setting: str) -> str:
    """The end of a refusal; ``setting`` is the key that names the database."""
    return f"It was left as it is; restore a backup or name another {setting}."
