"""The accuracy card: ``python -m benchmarks.accuracy`` measures everything anew and writes it.

``benchmarks/accuracy/figures.json`` has every figure; ``docs/accuracy.md`` and its pictures are made from
that alone. The same data give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

# Before any library asks: sums are in one order, and no thread waits busily for another.
os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})

import msgspec

from benchmarks.accuracy import answers, calls, cases, data, fairness, people, waits
from benchmarks.accuracy.common import ROOT, Figures, Where, datasets, kept
from benchmarks.accuracy.pictures import draw
from benchmarks.accuracy.render import render

__all__ = ["FIGURES", "SECTIONS", "main", "read"]

FIGURES = Path("benchmarks/accuracy/figures.json")
_PAGE = Path("docs/accuracy.md")
_IMAGES = Path("docs/images")
SECTIONS: dict[str, Callable[[Where], Figures]] = {
    "data": data.data,
    "small": data.small,
    "calls": calls.calls,
    "cases": cases.cases,
    "waits": waits.waits,
    "people": people.simulated,
    "answers": answers.answers,
    "fairness": fairness.fairness,
}


def read(root: Path = ROOT) -> Figures:
    """The figures as they are kept."""
    found: Figures = msgspec.json.decode((root / FIGURES).read_bytes())
    return found


def _written(figures: Figures, root: Path) -> None:
    for directory in (FIGURES.parent, _PAGE.parent, _IMAGES):
        (root / directory).mkdir(parents=True, exist_ok=True)
    ordered = {name: figures[name] for name in SECTIONS if name in figures}
    text = msgspec.json.format(msgspec.json.encode(ordered), indent=1)
    (root / FIGURES).write_bytes(text + b"\n")
    # From what was written, as any reader of it would have it.
    again = read(root)
    (root / _PAGE).write_text(render(again), "utf-8")
    draw(again, root / _IMAGES)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=Path, default=datasets(), help="default: %(default)s")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS, help="measure this section; the others stay as they are"
    )
    parser.add_argument(
        "--small", action="store_true", help="a tenth of the simulated customers, to try it; needs --out"
    )
    parser.add_argument("--out", type=Path, default=ROOT, help="write below here; default: the repository")
    told = parser.parse_args(arguments)
    if told.small and told.out.resolve() == ROOT:
        parser.error("--small: the card is of the whole; expected --out DIRECTORY with it")
    if not told.datasets.is_dir():
        parser.error(f"--datasets: found no {told.datasets}; expected the directory of the public sets")
    if told.only and (told.out / FIGURES).exists():
        figures = read(told.out)
    else:
        figures = {}
    with tempfile.TemporaryDirectory() as directory:
        where = Where(told.datasets, Path(directory), told.small)
        for name in told.only or SECTIONS:
            sys.stderr.write(f"{name} ...\n")
            figures[name] = kept(SECTIONS[name](where))
            # Section by section, so that none is lost where a later one fails.
            _written(figures, told.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
