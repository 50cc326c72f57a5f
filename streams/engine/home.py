"""The directory of an embedded engine: who owns it, and where its owner listens.

``engine.lock`` is locked by the owner for as long as it lives (the kernel lets go of it however the owner
ends); ``engine.json`` says where it listens and is there only while it answers, or stale after a crash;
``db/`` is chdb's; ``incoming/`` holds inserts while they arrive; ``engine.log`` is what a detached owner
printed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import IO, NamedTuple

__all__ = ["HOST", "Address", "AlreadyOwnedError", "Home"]

# Never anything else: the engine has no users and no passwords.
HOST = "127.0.0.1"


class AlreadyOwnedError(Exception):
    """Another process owns the directory."""


class Address(NamedTuple):
    """Where an owner listens; ``name`` is its display name in the protocol's hello, new for each process."""

    port: int
    pid: int
    name: str


class Home:
    """The files of one engine directory."""

    def __init__(self, directory: Path) -> None:
        """``directory`` need not exist yet."""
        self.directory = directory.expanduser().absolute()
        self.database = self.directory / "db"
        self.incoming = self.directory / "incoming"
        self.log = self.directory / "engine.log"
        self._address = self.directory / "engine.json"
        self._lock = self.directory / "engine.lock"

    def create(self) -> None:
        """Make the directory, for its user alone; raises OSError."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def own(self) -> IO[str]:
        """Become the owner until the returned file is closed; raises AlreadyOwnedError."""
        lock = self._lock.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyOwnedError(f"another process owns {self.directory}") from None
        return lock

    def owned(self) -> bool:
        """Whether a process owns the directory now."""
        if not self._lock.exists():
            return False
        try:
            self.own().close()
        except AlreadyOwnedError:
            return True
        return False

    def clear(self) -> None:
        """Remove what an owner that died left behind; for the new owner only. Raises OSError."""
        self.withdraw()
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir()

    def publish(self, address: Address) -> None:
        """Say where the owner listens, all at once."""
        fresh = self._address.with_suffix(".new")
        fresh.write_text(json.dumps(address._asdict()), encoding="utf-8")
        os.replace(fresh, self._address)

    def withdraw(self) -> None:
        """The owner answers no more."""
        self._address.unlink(missing_ok=True)

    def address(self) -> Address | None:
        """What the last owner said, alive or not; None when nobody has, or the file is broken."""
        try:
            said = json.loads(self._address.read_text(encoding="utf-8"))
            return Address(int(said["port"]), int(said["pid"]), str(said["name"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
