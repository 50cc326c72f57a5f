"""``rehuman simulate`` as it is called, in this process."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from streams.cli.app import run
from tests.simulate.runs import run as simulated


def _call(tmp_path: Path, *more: str, events: str = "e.jsonl", truth: str = "t.jsonl") -> int:
    out = ["--out", str(tmp_path / events), "--truth", str(tmp_path / truth)]
    return run(["simulate", *out, *more])


def test_files_are_what_was_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--pack", "outage", "--customers", "120", "--days", "1", "--seed", "2", "--start", "2026-01-05"]
    assert _call(tmp_path, *more) == 0
    raw = simulated("outage", 2).raw
    assert (tmp_path / "e.jsonl").read_bytes() == b"\n".join(raw) + b"\n"
    assert f"120 customers, {len(raw)} events" in capsys.readouterr().out
    packed = {"events": "e.jsonl.gz", "truth": "t.jsonl.gz"}
    assert _call(tmp_path, *more, "--json", **packed) == 0
    first = (tmp_path / "e.jsonl.gz").read_bytes()
    assert gzip.decompress(first) == (tmp_path / "e.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "t.jsonl.gz").read_bytes()) == (tmp_path / "t.jsonl").read_bytes()
    again = {"events": "again.jsonl.gz", "truth": "t.jsonl.gz"}
    assert _call(tmp_path, *more[:-2], **again) == 0
    assert (tmp_path / "again.jsonl.gz").read_bytes() == first


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--pack", "monday"], "--pack: found 'monday'; expected one of quiet-day"),
        (["--customers", "0"], "'--customers'"),
        (["--days", "0"], "'--days'"),
        (["--seed", "-1"], "'--seed'"),
        (["--days", "1", "--hours", "3"], "--days: found 1; expected either"),
        (["--start", "soon"], "--start: found 'soon'; expected a time"),
        (["--start", "0005-01-01"], "--start: found"),
    ],
    ids=str,
)
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str) -> None:
    assert _call(tmp_path, *more) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "e.jsonl").exists()


def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(tmp_path, truth="e.jsonl") == 2
    assert "--truth-out: found" in capsys.readouterr().err
    assert _call(tmp_path, events="none/e.jsonl") == 2
    assert "--events-out: found" in capsys.readouterr().err
    assert run(["simulate", "--out", str(tmp_path / "e.jsonl")]) == 2
    assert "--truth" in capsys.readouterr().err


def test_a_full_disk_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--out", "/dev/full", "--truth", str(tmp_path / "t")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
