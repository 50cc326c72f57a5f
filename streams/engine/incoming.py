"""The rows of an insert while they arrive: a file that takes blocks, also where the disk takes none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

__all__ = ["Incoming"]


class Incoming:
    """Use as a context manager, which removes the file. Nothing here raises for a disk that is full.

    After a failure the client still sends the rest, and listens only then: what comes is read and dropped.
    """

    def __init__(self, directory: Path) -> None:
        self.rows = self.size = 0
        #: Why the rows could not be kept, in the system's words; empty while they could.
        self.failure = ""
        self.path = directory
        self._file = -1
        try:
            self._file, path = tempfile.mkstemp(".native", dir=directory)
            self.path = Path(path)
        except OSError as error:
            self._failed(error)

    def take(self, rows: int, block: bytes) -> None:
        """Keep a block."""
        self.rows += rows
        left = memoryview(block)
        try:
            while left and not self.failure:
                # Not through a buffer: its last bytes would be refused when it is too late to say so.
                left = left[os.write(self._file, left) :]
        except OSError as error:
            self._failed(error)
        self.size += len(block)

    def _failed(self, error: OSError) -> None:
        self.failure = f"cannot keep the rows of an insert: {error.strerror}"

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file >= 0:
            os.close(self._file)
            self.path.unlink(missing_ok=True)
