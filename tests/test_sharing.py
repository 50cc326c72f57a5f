"""The broker of a test run: one for all processes, however they come and go."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

from tests.support.sharing import sharing


def test_one_starts_it_and_it_ends_after_all_others(tmp_path: Path) -> None:
    """Twice, by four at once: locks of files are those of an open file, in one process as in several."""
    happened: list[str] = []

    @contextmanager
    def part() -> Iterator[str]:
        happened.append("start")
        yield "somewhere"
        happened.append("end")

    together = Barrier(4)

    def use(_: int) -> str:
        with sharing(tmp_path / "part", part) as address:
            together.wait(30)
            happened.append("used")
        return address

    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(use, range(4))) == {"somewhere"}
        assert happened == ["start", *["used"] * 4, "end"]
        happened.clear()
