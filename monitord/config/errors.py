"""What is wrong with the settings."""

from __future__ import annotations


class ConfigError(Exception):
    """The settings cannot be used. The text names file, key and rule."""
