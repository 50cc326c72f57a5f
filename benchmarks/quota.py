"""Shares of a core for processes, and what of it they have used.

Quotas are cgroups' (version 1, the ``cpu`` controller), where this user may make groups: in a container or a
virtual machine as root. Where not, :func:`quotas` says so, and the benchmark compares CPU seconds instead.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cpu_s", "limited", "quotas", "rss_bytes"]

CPU = Path("/sys/fs/cgroup/cpu")
# Short, so that a process that has used its share waits for milliseconds, not for a tenth of a second.
PERIOD_US = 20_000


def quotas() -> bool:
    """Whether shares of a core can be set here."""
    try:
        with limited([], 1.0):
            return True
    except OSError:
        return False


@contextmanager
def limited(pids: Iterable[int], cores: float) -> Iterator[None]:
    """Let each process, with what it starts, use at most ``cores`` inside the block. Raises OSError."""
    made: list[Path] = []
    try:
        for number, pid in enumerate([*pids] or [0]):
            home = CPU / f"rehuman-{os.getpid()}-{secrets.token_hex(3)}-{number}"
            home.mkdir()
            made.append(home)
            (home / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (home / "cpu.cfs_quota_us").write_text(str(int(PERIOD_US * cores)))
            if pid:
                (home / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for home in made:
            for left in (home / "cgroup.procs").read_text().split():
                (CPU / "cgroup.procs").write_text(left)
            home.rmdir()


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, all its threads; those of its children are theirs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int | str = "self") -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
