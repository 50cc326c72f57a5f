"""Processes that a demonstration starts: real ones, ended in order, or with it when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.demo.processes import Child, last_line
from streams.errors import OperationError

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# A process that starts a child of ours, says which, and waits to be killed.
OWNER = """
import os, sys, time
from pathlib import Path
from streams.demo.processes import Child
child = Child("worker", [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]), os.environ)
print(child.pid, flush=True)
time.sleep(60)
"""


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    for _ in range(int(seconds / 0.05)):
        if holds():
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent is gone may wait for its reaper: it is dead.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"


def test_a_child_writes_its_log_and_is_stopped(tmp_path: Path) -> None:
    child = Child("worker", SLEEPER, tmp_path / "log", os.environ)
    assert until(lambda: last_line(tmp_path / "log") == "up")
    child.check()
    child.stop()
    assert not alive(child.pid)
    child.stop()


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    words = "import sys; print('first'); print('topic is missing\\n', flush=True); sys.exit(3)"
    child = Child("worker", [sys.executable, "-c", words], tmp_path / "log", os.environ)
    with pytest.raises(OperationError, match="the worker ended with code 3: topic is missing"):
        until(lambda: child.check() is not None)
    child.stop()


def test_a_child_that_says_nothing(tmp_path: Path) -> None:
    child = Child("worker", [sys.executable, "-c", ""], tmp_path / "log", os.environ)
    with pytest.raises(OperationError, match="ended with code 0: it said nothing"):
        until(lambda: child.check() is not None)
    child.stop()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="cannot be started: No such file"):
        Child("worker", ["/no/such/program"], tmp_path / "log", os.environ)


def test_nobody_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    assert alive(child)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert until(lambda: not alive(child))
