"""Which file of the site's a recording is. Pure."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".webm": "audio/webm",
}
"""What browsers play, by the file's ending. Asterisk's ``wav49`` ends in ``.WAV``: GSM within,
which none plays."""

NAME_MOST = 1000


def kind_of(file: str) -> str | None:
    """The content type; None where no browser plays it."""
    return TYPES.get(PurePosixPath(file).suffix)


def parts_within(file: str, pbx_folder: str) -> tuple[str, ...] | None:
    """The path below the site's folder of a file that the PBX names; None where it may not be one.
    ``pbx_folder``: where the PBX itself has that folder."""
    if not 0 < len(file) <= NAME_MOST or "\0" in file:
        return None
    path = PurePosixPath(file)
    if path.is_absolute():
        folder = PurePosixPath(pbx_folder)
        if not path.is_relative_to(folder):
            return None
        path = path.relative_to(folder)
    return None if ".." in path.parts or not path.parts else path.parts


def find(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """The file, with all links followed; None where there is none within the folder. Reads the
    disk, but no file."""
    try:
        root = folder.resolve(strict=True)
        found = root.joinpath(*parts).resolve(strict=True)
        return found if found.is_relative_to(root) and found.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
