"""What the long runs begin and end with: a broker, an engine and a directory of their own; a verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.ending import ends_by_sigterm
from tests.support.engine import EngineUnderTest, running
from tests.support.kafka import KafkaBroker

__all__ = ["stage", "verdict"]


@contextmanager
def stage(name: str, engine_at: Path | None = None) -> Iterator[tuple[Path, KafkaBroker, EngineUnderTest]]:
    """Whoever ends the run, by SIGTERM too, ends all of these with it.

    ``engine_at``: the engine's directory; a temporary one otherwise.
    """
    ends_by_sigterm()
    with (
        tempfile.TemporaryDirectory(prefix=f"rehuman-{name}-") as home,
        KafkaBroker() as kafka,
        running(engine_at) as engine,
    ):
        yield Path(home), kafka, engine


def verdict(wrong: Sequence[str]) -> int:
    """Print what is wrong; the exit code."""
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0
