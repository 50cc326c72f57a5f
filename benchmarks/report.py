"""What the rounds come to: medians and spreads, as JSON and as a table for people."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.stage import ROOT
from streams.clock import wall_ms
from streams.sources.api import rfc3339

__all__ = ["KEYS", "summary", "table"]

# The figures that are promised by name, what they are, and what they are to be.
KEYS = {
    "naive_eps": ("naive Faust agent, events/s", ""),
    "pipeline_eps": ("lanes, whole loop, events/s", ""),
    "ratio": ("lanes / naive", ">= 50"),
    "floor_eps": ("decode + fold + blocks, no broker, events/s", ""),
    "share_of_floor": ("lanes / floor", ">= 0.60"),
    "two_workers_ratio": ("two workers / one", ">= 1.8"),
    "alert_p50_ms": ("event to alert at half load, median, ms", ""),
    "alert_p99_ms": ("event to alert at half load, p99, ms", "< 1000"),
    "bytes_per_customer": ("memory of a restored customer, bytes", "<= 2048"),
    "restore_keys_s": ("restore, customers/s", ""),
    "rows_s": ("facts lane into ClickHouse, rows/s", ""),
}
OTHERS = {
    "raw_eps": "aiokafka getmany, nothing else, records/s",
    "naive_cpu_us": "naive, CPU us/event",
    "pipeline_cpu_us": "lanes, CPU us/event",
    "floor_cpu_us": "floor, CPU us/event",
    "one_worker_eps": "one worker at a quota, events/s",
    "two_workers_eps": "two workers at that quota each, events/s",
    "two_workers_by_cpu": "twice one's CPU an event over that of two",
    "worker_cores": "the quota, cores (0: none could be set)",
    "alert_load_eps": "load under which alerts were timed, events/s",
    "alerts_timed": "alerts timed",
    "row_cpu_us": "facts lane, CPU us/row",
}


def summary(rounds: Sequence[Mapping[str, float]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Medians under the promised names, and everything that they were made of."""
    names = sorted(set().union(*rounds))
    values = {name: [found[name] for found in rounds] for name in names}
    medians = {name: median(found) for name, found in values.items()}
    return {
        **{name: medians[name] for name in KEYS},
        "others": {name: medians[name] for name in names if name not in KEYS},
        "spread": {name: [min(found), max(found)] for name, found in values.items()},
        "rounds": [dict(found) for found in rounds],
        "settings": dict(settings),
        "machine": _machine(),
        "date": rfc3339(wall_ms())[:10],
        "commit": _commit(),
    }


def table(found: Mapping[str, Any]) -> str:
    """The same as Markdown."""
    machine = found["machine"]
    lines = [
        f"{found['date']}, commit {found['commit']}, {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory_gb']} GB, Python {machine['python']}, {len(found['rounds'])} rounds",
        "",
        "| what | median | least to most | aim |",
        "|---|---:|---:|---:|",
    ]
    for name, (what, aim) in KEYS.items():
        lines.append(_row(f"{what} (`{name}`)", found[name], found["spread"][name], aim))
    for name, what in OTHERS.items():
        if name in found["others"]:
            lines.append(_row(what, found["others"][name], found["spread"][name], ""))
    return "\n".join(lines)


def _row(what: str, value: float, spread: Sequence[float], aim: str) -> str:
    least, most = map(_number, spread)
    return f"| {what} | {_number(value)} | {least} to {most} | {aim} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(": ")[2] if models else cpu
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "memory_gb": round(pages / 2**30),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()}",
    }


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
