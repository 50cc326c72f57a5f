"""What the parts of the accuracy card share: where things are, the keys, and figures as they are kept.

>>> kept({"auc": 0.123456789, "none": float("nan"), "n": 12})
{'auc': 0.12346, 'none': None, 'n': 12}
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from pydantic import SecretStr

from streams.settings import Settings

__all__ = [
    "APRIL",
    "BANK",
    "DAY",
    "INCIDENTS",
    "LAST_WEEK",
    "ROOT",
    "Figures",
    "Where",
    "datasets",
    "day",
    "kept",
    "listed",
    "ms",
    "settings",
    "share",
    "simulate",
]

Figures = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
BANK: Final = "anonymous_bank/february_1999.csv"
INCIDENTS: Final = "servicenow_incidents/incidents_opened_before_2016-04-15.csv.gz"
DAY: Final = 86_400_000
# Where the bank's first three weeks end, a Monday in Jerusalem, and where the incidents' later ones begin.
LAST_WEEK: Final = 919_634_400_000  # 1999-02-22
APRIL: Final = 1_459_468_800_000  # 2016-04-01, UTC
# Of figures: enough to tell them apart, and few enough to be the same on another processor.
_DIGITS: Final = 5
# Pseudonyms are needed to fold, and nobody is ever told of them here: no secret.
_KEY: Final = SecretStr("of-the-accuracy-card")
_START: Final = "2026-01-05"


class Where(NamedTuple):
    """Where the data sets are, where files may be written, and whether to do with a tenth of it all."""

    datasets: Path
    work: Path
    small: bool = False

    def size(self, whole: int) -> int:
        """So many, or a tenth."""
        return max(1, whole // 10) if self.small else whole


def datasets() -> Path:
    """The public data sets: ``DATASETS``, or ``../shared/datasets`` beside the repository."""
    given = os.environ.get("DATASETS")
    return Path(given) if given else ROOT.parent / "shared" / "datasets"


def settings() -> Settings:
    """Of an installation that is none, under the built-in policy, whatever the environment says."""
    own: dict[str, Any] = {"pseudonym_key": _KEY, "reference_key": _KEY, "policy": None}
    return Settings(**own)


def ms(date: str) -> int:
    """A day's beginning (UTC) in ms since the epoch."""
    return round(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() * 1000)


def day(time: int, zone: str = "UTC") -> str:
    """The day of a moment (ms)."""
    return datetime.fromtimestamp(time / 1000, ZoneInfo(zone)).date().isoformat()


def kept(value: Any) -> Any:
    """Plain data with numbers of five digits, and null for what is no number."""
    if isinstance(value, dict):
        return {str(name): kept(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [kept(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, msgspec.Struct):
        return kept(msgspec.to_builtins(value))
    return value


def share(part: int, whole: int) -> Figures:
    """A share of independent cases with Wilson's 95 % interval.

    >>> found = share(5, 10)
    >>> round(found["low"], 3), found["value"], round(found["high"], 3)
    (0.237, 0.5, 0.763)
    """
    if not whole:
        return {"value": None, "low": None, "high": None}
    z = 1.959964
    mean, step = part / whole, z * z / whole
    middle = (mean + step / 2) / (1 + step)
    half = z * math.sqrt(mean * (1 - mean) / whole + step / (4 * whole)) / (1 + step)
    return {"value": mean, "low": max(0.0, middle - half), "high": min(1.0, middle + half)}


def simulate(where: Where, pack: str, *, seed: int, customers: int, hours: int) -> Path:
    """A file of simulated events, as ``rehuman simulate`` writes it."""
    from streams.simulate.parameters import load
    from streams.simulate.write import write

    path = where.work / f"{pack}-{seed}-{customers}-{hours}.jsonl"
    truth = where.work / "truth.jsonl"
    write(
        load(pack), seed=seed, customers=customers, hours=hours, start=ms(_START), events_out=path,
        truth_out=truth,
    )  # fmt: skip
    return path


def listed(values: Sequence[Any]) -> str:
    """``1, 2 and 3``."""
    *first, last = [str(value) for value in values] or [""]
    return f"{', '.join(first)} and {last}" if first else last
