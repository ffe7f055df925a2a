"""Settings: a TOML file to typed values, or an error that names file, key and rule."""

from __future__ import annotations

from monitord.config.errors import ConfigError
from monitord.config.reading import Loaded, load
from monitord.config.tables import Pbx, Server, Settings

__all__ = ["ConfigError", "Loaded", "Pbx", "Server", "Settings", "load"]
