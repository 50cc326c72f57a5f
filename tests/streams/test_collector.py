"""What a worker does about memory, in a process of its own: it is for the whole of a process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from streams import collector

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

collector.settle()
before = resident()
made = [bytes(1_000) for _ in range(100_000)]
full = resident()
kept = made[::100]
del made
left = resident()
collector.sweep()
print(full - before, left - before, resident() - before)
"""


def test_what_lies_in_holes_is_given_back() -> None:
    """Of 100 MB one in a hundred is still in use, all over the heap."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    full, left, swept = map(int, done.stdout.split())
    assert full > 100e6
    assert left > 90e6, "the C library keeps it: otherwise there is nothing to tell it"
    assert swept < 60e6
