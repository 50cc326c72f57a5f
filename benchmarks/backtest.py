"""How fast a back-test is: events a second from the first byte read to the report, on one core.

For the bank, the incidents and a simulated file, each without a target and with one. Beside it the plain
reading of the same file, each line decoded (JSON) or split (CSV) and dropped: the machine's own pace, by
which runs on different machines can be compared. The bootstrap of a target's figures depends on its rows and
not on the events, and is given apart.

``python -m benchmarks.backtest`` measures; ``--profile anonymous-bank`` shows where the time goes. Rates are
of CPU time, which a busy machine distorts less; with OPENBLAS_NUM_THREADS=1 the bootstrap has one core, too.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import json
import pstats
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Final, NamedTuple

import msgspec

from detectors import BUILD
from streams.backtest import run
from streams.clock import monotonic
from streams.settings import Settings, load
from streams.simulate.parameters import load as parameters
from streams.simulate.write import write
from streams.sources.files import lines
from streams.targets.scoring import Asked
from streams.targets.spec import parse
from tests.sources.datasets import paths

KEY: Final = "benchmark-key-0123456789"
TARGETS: Final = {
    "anonymous-bank": "recontact=3600,max=30",
    "servicenow-incidents": "reopen",
    "cloudevents": "recontact=86400",
}


class Measured(NamedTuple):
    """CPU seconds and those on the wall; ``measuring_s`` is the bootstrap, which is not in the others."""

    source: str
    target: str
    events: int
    cpu_s: float
    wall_s: float
    measuring_s: float
    plain_s: float

    @property
    def eps(self) -> float:
        """Events a second of CPU time."""
        return self.events / self.cpu_s


def plain(file: Path) -> float:
    """CPU seconds for reading the file and splitting or decoding its lines."""
    began = process_time()
    json_lines = ".json" in file.name or ".ndjson" in file.name
    for line in lines(file):
        if json_lines:
            msgspec.json.decode(line.raw)
        else:
            next(csv.reader([line.raw.decode("latin-1")]))
    return process_time() - began


def measure(settings: Settings, source: str, files: Sequence[Path], target: str = "") -> Measured:
    """One back-test."""
    asked = Asked((parse(target),)) if target else None
    cpu, wall = process_time(), monotonic()
    found = run(settings, source, files, asked=asked)
    cpu, wall = process_time() - cpu, monotonic() - wall
    apart = found.get("measuring_seconds", 0.0)
    share = cpu / wall if wall else 1.0
    return Measured(
        source,
        target,
        sum(found["events"].values()),
        cpu - apart * min(1.0, share),
        wall - apart,
        apart,
        sum(map(plain, files)),
    )


def simulated(directory: Path, events: int) -> Path:
    """A quiet day with about so many events: a customer has fourteen."""
    path = directory / "events.jsonl"
    write(
        parameters("quiet-day"),
        seed=1,
        customers=max(1, events // 14),
        hours=24,
        start=1_767_571_200_000,
        events_out=path,
        truth_out=directory / "truth.jsonl",
    )
    return path


def table(found: Sequence[Measured]) -> str:
    """For people: rates, and how many times the plain reading a back-test takes."""
    rows = [
        f"{'source':22}{'target':24}{'events':>9}{'events/s':>10}{'by the wall':>12}"
        f"{'bootstrap s':>12}{'x plain':>9}"
    ]
    rows += [
        f"{one.source:22}{one.target or '-':24}{one.events:>9}{one.eps:>10.0f}"
        f"{one.events / one.wall_s:>12.0f}"
        f"{one.measuring_s:>12.1f}{one.cpu_s / one.plain_s:>9.1f}"
        for one in found
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=200_000, help="of the simulated file, about")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--profile", metavar="SOURCE", help="where a back-test of this source spends its time"
    )
    given = parser.parse_args()
    settings = load(pseudonym_key=KEY, reference_key=KEY)
    with tempfile.TemporaryDirectory() as directory:
        files = {name: paths(name) for name in ("anonymous-bank", "servicenow-incidents")}
        files["cloudevents"] = [simulated(Path(directory), given.events)]
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(run, settings, given.profile, files[given.profile])
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        found = [
            measure(settings, source, own, target)
            for source, own in files.items()
            for target in ("", TARGETS[source])
        ]
    if given.json:
        print(json.dumps([one._asdict() | {"eps": one.eps, "build": BUILD} for one in found]))
        return
    print(f"{BUILD} build")
    print(table(found))


if __name__ == "__main__":
    main()
