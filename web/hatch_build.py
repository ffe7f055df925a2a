"""Hatchling's build hook: the page is built when a wheel is, so that pip needs no Node. A page that
was built of the very same sources is taken as it is.

Editable installs skip it (``make`` builds the page for them), and so does the sdist, from which
the wheel is built anyway.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _builder() -> Any:
    # hatchling loads this file alone, so its neighbour is loaded by path
    path = Path(__file__).resolve().with_name("build_page.py")
    spec = importlib.util.spec_from_file_location("monitord_build_page", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path.name} is missing beside the build hook")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        builder = _builder()
        try:
            builder.build(force=False, say=self.app.display_info)
        except builder.PageBuildError as error:
            self.app.abort(str(error))
