"""The version of this project before the present one, as a tree of files that runs."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

__all__ = ["previous", "unpack_previous"]

ROOT = Path(__file__).resolve().parents[2]
# What a worker is made of.
ROOMS = ("detectors", "streams")


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, f"git {arguments[0]}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def previous() -> str:
    """The last commit whose worker is another than this tree's. Needs the history: no shallow clone."""
    assert _git("rev-parse", "--is-shallow-repository").strip() == b"false", "git fetch --unshallow"
    if _git("status", "--porcelain", "--", *ROOMS):
        return "HEAD"
    changed = _git("log", "-1", "--format=%H", "--", *ROOMS).decode().strip()
    return f"{changed}^"


def unpack_previous(directory: Path) -> Path:
    """The previous version's worker below ``directory``; it runs as plain Python."""
    archive = _git("archive", previous(), "--", *ROOMS)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(directory, filter="data")
    return directory
