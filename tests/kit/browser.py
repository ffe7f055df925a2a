"""Debian's Chromium, installed where it may be, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.lab.install import LabMissing, required

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Without these Chromium looks up and calls its maker's hosts at every start.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str:
    """Path of a Chromium; installed by apt where that is allowed.

    Raises:
        LabMissing: there is none and none can be installed.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if not required():
        raise LabMissing("Chromium is missing (Debian: apt-get install chromium)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise LabMissing(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    path = shutil.which("chromium")
    if path is None:
        raise LabMissing("Chromium was installed, but is not in PATH")
    return path


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            await browser.close()
