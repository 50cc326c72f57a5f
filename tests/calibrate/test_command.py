"""``rehuman calibrate`` from files to policy: deterministic, readable, and one policy for several targets."""

from __future__ import annotations

import csv
import json
from math import exp
from pathlib import Path

import pytest

from detectors.policy import DEFAULT_TEXT, parse
from streams.calibrate import extra
from streams.cli.app import run
from tests.calibrate.made import calls, ndjson
from tests.sources.datasets import first_days

KEYS = {"REHUMAN_PSEUDONYM_KEY": "p" * 32, "REHUMAN_REFERENCE_KEY": "r" * 32}
TARGET = "recontact=3600"
OURS = """
# Ours.
[targets.reopen]
target = "reopen"
events = ["ticket.solved"]
base = 0.5
"""
DAY_16 = "2024-01-17T00:00:00Z"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The calls in two files, which are one stream."""
    directory = tmp_path_factory.mktemp("history")
    events = calls(people=20, days=24)
    half = len(events) // 2
    paths = [directory / "first.ndjson", directory / "second.ndjson"]
    paths[0].write_bytes(ndjson(events[:half]))
    paths[1].write_bytes(ndjson(events[half:]))
    return paths


def calibrate(paths: list[Path], out: Path, *more: str, target: str = TARGET) -> int:
    given = [str(path) for path in paths]
    return run(["calibrate", "cloudevents", *given, "--target", target, "--policy-out", str(out), *more])


def test_from_files_to_policy(
    tmp_path: Path, history: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "p.toml", tmp_path / "r.json"
    few = ["--features", "wait_s,outcome,contacts_8h,hour", "--pair", "outcome:wait_s"]
    base = tmp_path / "base.toml"
    base.write_text(DEFAULT_TEXT + OURS)
    more = [*few, "--base", str(base), "--holdout", DAY_16, "--live", "--report-out", str(report)]
    assert calibrate(history, out, *more, "--pictures", str(tmp_path / "a")) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("No protected attribute is part of this score")
    found = json.loads(report.read_text())
    assert next(iter(found)) == "protected"
    proof = found["proof"]
    assert proof["rows"] == "holdout"
    # Who gives up calls again: far from chance.
    assert proof["additive"]["auc"]["low"] > 0.55
    assert proof["boosting"]["auc"]["value"] > 0.7
    assert next(iter(proof["differences"])) == "additive - boosting"
    assert found["split"]["fit"]["until"] < DAY_16 <= found["split"]["holdout"]["from"]
    assert any(sentence.startswith("Another contact is likelier where") for sentence in found["learned"])
    assert set(found["features"]["written"]) <= {*few[1].split(","), "outcome x wait_s"}

    text = out.read_text()
    assert text.startswith(base.read_text().rstrip("\n"))
    policy = parse(text)
    assert policy.targets["recontact"].live
    assert policy.targets["reopen"].base == 0.5
    assert policy.version == parse(DEFAULT_TEXT).version

    # The same history gives the same bytes, pictures too.
    again = tmp_path / "again.toml"
    more[-1] = str(tmp_path / "r2.json")
    assert calibrate(history, again, *more, "--pictures", str(tmp_path / "b")) == 0
    assert again.read_bytes() == out.read_bytes()
    same = json.loads((tmp_path / "r2.json").read_text()) | {"policy_out": str(out)}
    assert same == found
    pictures = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert pictures == ["recontact-reliability.svg", "recontact-shapes.svg"]
    for name in pictures:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert b"<dc:date>" not in (tmp_path / "a" / name).read_bytes()


def test_protected_attributes_are_told_first(
    tmp_path: Path, history: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.toml"
    more = ["--features", "outcome,wait_s", "--with-protected", "priority", "--json"]
    assert calibrate(history, out, *more) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["protected"]["used"] == ["priority"]
    assert found["protected"]["words"].startswith("Protected attributes are part of this score: priority")
    assert "without_protected" in found["proof"]
    assert found["proof"]["rows"].startswith("validation")
    assert "protected = true" in out.read_text()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--features", "made_sla"], "--features: found 'made_sla'"),
        (["--without", "resolved_at"], "--without: found 'resolved_at'"),
        (["--pair", "wait_s"], "--pair: found 'wait_s'; expected two features"),
        (["--pair", "wait_s:priority"], "--pair: found 'priority'"),
        (["--until", "2024-01-02", "--holdout", "2024-01-03"], "--until: found '2024-01-02'"),
        (["--holdout", "2031-01-01"], "--holdout: found"),
        (["--base", "nowhere.toml"], "FILE: found nowhere.toml"),
    ],
    ids=str,
)
def test_wrong_usage(
    tmp_path: Path, history: list[Path], capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert calibrate(history, tmp_path / "p.toml", *more) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "p.toml").exists()


def test_targets_that_cannot_be_fitted(
    tmp_path: Path, history: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(history, tmp_path / "p.toml", target="churn") == 2
    assert "--target: found 'churn'" in capsys.readouterr().err
    assert calibrate(history, tmp_path / "p.toml", target="reopen") == 1
    assert "0 bad outcomes among 0 rows" in capsys.readouterr().err


def test_without_the_extra(
    tmp_path: Path,
    history: list[Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda _: None)
    assert calibrate(history, tmp_path / "p.toml") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "scikit-learn" in said
    assert "pip install 'rehuman[calibrate]'" in said


def test_the_bank_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a back-test shows is the logistic of what was written: base and factors of the same row."""
    calls_of_a_day = first_days(tmp_path, "990201")
    out, scores = tmp_path / "p.toml", tmp_path / "s.csv"
    features = "outcome,wait_s,talk_s,contacts_8h"
    arguments = ["anonymous-bank", str(calls_of_a_day), "--target", "recontact=3600,max=30"]
    assert run(["calibrate", *arguments, "--features", features, "--policy-out", str(out)]) == 0
    shown = ["--policy", str(out), "--scores-out", str(scores)]
    assert run(["backtest", *arguments, *shown]) == 0
    capsys.readouterr()
    target = parse(out.read_text()).targets["recontact"]
    with scores.open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["type"] in target.kinds]
    needs = {round(float(row["human_need"]), 12) for row in rows}
    assert len(rows) > 300
    assert len(needs) > 50

    from streams.calibrate.calibration import evaluated
    from streams.calibrate.data import gather
    from streams.identity import Pseudonyms
    from streams.targets.labels import labels
    from streams.targets.spec import parse as parse_target
    from tests.sources.datasets import read

    events = read("anonymous-bank", calls_of_a_day).events
    asked = labels(parse_target("recontact=3600,max=30"), events, zone="Asia/Jerusalem")
    policy = parse(out.read_text())
    names = Pseudonyms(KEYS["REHUMAN_PSEUDONYM_KEY"].encode(), KEYS["REHUMAN_REFERENCE_KEY"].encode())
    gathered = gather("recontact", events, asked, policy, names)
    for value in evaluated(policy, "recontact", gathered):
        assert round(1.0 / (1.0 + exp(-value)), 12) in needs
