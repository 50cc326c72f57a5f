"""Processes that end with this one, however this one ends.

A watchdog waits for the end of a pipe that only this process holds open; when the pipe ends without a word,
this process is gone and the watchdog ends what it watches. (The kernel's parent-death signal comes when the
*thread* that started the child ends, which is another thing.)
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.errors import OperationError

__all__ = ["Child", "Watchdog"]

# SIGTERM lets a worker finish its chunk and checkpoint; a database that hangs must not hold up the end.
STOP_S = 15.0
TAIL_BYTES = 8_192
TAIL_CHARACTERS = 300


class Watchdog:
    """Ends the process ``pid`` if this process goes without :meth:`release`."""

    def __init__(self, pid: int) -> None:
        shell = shutil.which("sh") or "/bin/sh"
        # `read` succeeds on a line (released) and fails at the end of the pipe (we are gone). First politely.
        script = 'read -r _ || { kill "$1"; sleep 5; kill -9 "$1"; } 2>/dev/null'
        self._process = subprocess.Popen(
            [shell, "-c", script, "watchdog", str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Stop watching; does nothing the second time."""
        if self._process.poll() is None:
            try:
                self._process.communicate(b"released\n", timeout=STOP_S)
            except (subprocess.TimeoutExpired, OSError):
                self._process.kill()
                self._process.wait()


class Child:
    """A process with its log in a file, watched over."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        """Start it. Raises OperationError where it cannot be."""
        self.name = name
        self.log = log
        try:
            with log.open("ab") as out:
                # A session of its own: Ctrl-C is for us, who stop things in their order.
                self._process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=dict(environment),
                    start_new_session=True,
                )
        except OSError as error:
            raise OperationError(f"the {name} cannot be started: {error.strerror}") from None
        self._watchdog = Watchdog(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise OperationError, with the last line of its log, if it has ended."""
        code = self._process.poll()
        if code is not None:
            said = last_line(self.log) or "it said nothing"
            raise OperationError(f"the {self.name} ended with code {code}: {said} (log: {self.log})")

    def stop(self) -> None:
        """End it, politely first; does nothing the second time."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Only now: until then it is the watchdog's to end if we are killed while we wait.
        self._watchdog.release()


def last_line(log: Path) -> str:
    """The last line of a log that says anything, cut to a readable length; "" for an empty one."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip()[:TAIL_CHARACTERS] for line in reversed(lines) if line.strip()), "")
