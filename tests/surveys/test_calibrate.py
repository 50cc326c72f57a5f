"""Surveys of simulated people, and the finding where what is declared differs from what was inferred."""

from __future__ import annotations

import json
import random
import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from detectors.policy import DEFAULT_TEXT, parse
from streams.calibrate import in_short, run
from streams.errors import OperationError, SettingError
from streams.sources.api import cloud_event
from streams.surveys.answers import Answer
from streams.surveys.line import prior
from streams.surveys.report import divergence, reliability
from tests.channels.histories import call, history, request, written
from tests.simulate.runs import run as simulated


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the seeds that anything may be tuned on."""
    path = tmp_path_factory.mktemp("surveys") / "events.jsonl"
    raw = simulated("quiet-day", 2, customers=900, hours=96).raw
    path.write_bytes(b"".join(one + b"\n" for one in raw))
    return path


def test_simulated_people_answer_as_the_line_says(people: Path, tmp_path: Path) -> None:
    """Later answers, which the line has not seen: nearer than the mean, and no further than the prior."""
    out = tmp_path / "out.toml"
    report = run(request("survey", out, people))
    told = report["metrics"]["ces"]
    assert told["answers"] > 150
    held = told["held_back"]
    error = held["root_mean_square_error"]
    assert error["line"] < error["mean"]
    # Paired, with its interval: below 0 all of it.
    assert held["squared_error_line_less_mean"][2] < 0
    assert held["squared_error_line_less_prior"][0] < 0.002
    assert sum(one["n"] for one in held["reliability"]) == held["n"] == int(0.3 * told["answers"])
    inside = [one["inside"] for one in held["reliability"]]
    assert sum(inside) >= len(inside) - 1
    found = tomllib.loads(out.read_text())
    assert {key: value for key, value in found.items() if key != "survey_fit"} == tomllib.loads(DEFAULT_TEXT)
    line = parse(out.read_text()).ces_line
    assert line is not None
    assert line.value == pytest.approx([value for _, value in told["line"]], abs=1e-4)
    assert found["survey_fit"]["ces"]["answers"] == told["answers"]
    assert json.loads(out.with_suffix(".json").read_text())["words"] == report["words"]
    assert "the straight line weighs" in report["words"][0]


def test_what_was_kept_apart_changes_nothing(people: Path, tmp_path: Path) -> None:
    events = people.read_bytes().splitlines()
    half = json.loads(events[len(events) // 2])["time"]
    cut = round(datetime.fromisoformat(half).timestamp() * 1000)
    apart = run(request("survey", tmp_path / "apart.toml", people, holdout=cut))
    until = run(request("survey", tmp_path / "until.toml", people, until=cut))
    assert (tmp_path / "apart.toml").read_text() == (tmp_path / "until.toml").read_text()
    assert apart["metrics"]["ces"]["held_back"]["n"] > until["metrics"]["ces"]["held_back"]["n"] > 0


def answers(count: int, step: str, shift: float, seed: int = 4) -> list[Answer]:
    rng = random.Random(seed)
    found = []
    for number in range(count):
        effort = rng.uniform(0, 80)
        value = min(1.0, max(0.0, 1 - effort / 100 + shift + rng.gauss(0, 0.1)))
        found.append(Answer("ces", f"{step}-{number}", number, "order", step, value, effort))
    return found


def test_a_step_that_is_lived_worse_than_it_looks_is_a_finding() -> None:
    rows = answers(60, "pay", -0.2) + answers(60, "ship", 0.0, 5) + answers(5, "rare", -0.5)
    found = {row["step"]: row for row in divergence(prior(), rows)}
    assert set(found) == {"pay", "ship"}, "five answers say nothing"
    assert found["pay"]["finding"]
    assert found["pay"]["high"] < -0.1
    assert not found["ship"]["finding"]


def test_chance_alone_is_seldom_a_finding() -> None:
    """Thirty steps where nothing differs, twenty times: hardly one in all."""
    false = 0
    for seed in range(20):
        rows = [row for step in range(30) for row in answers(40, f"s{step}", 0.0, 100 * seed + step)]
        false += sum(row["finding"] for row in divergence(prior(), [row for row in rows if row.effort > 25]))
    assert false <= 4


def test_equal_efforts_stay_together_in_the_reliability() -> None:
    rows = answers(100, "pay", 0.0)
    same = [Answer("ces", f"n{number}", number, "order", "", 0.9, 0.0) for number in range(400)]
    parts = reliability(prior(), rows + same)
    assert parts[0]["n"] >= 400
    assert sum(part["n"] for part in parts) == 500
    efforts = [effort for part in parts for effort in part["effort"]]
    assert efforts == sorted(efforts)


def test_without_answers_there_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", call("ann", 0))
    with pytest.raises(OperationError, match="no answer of a survey can be used: there is none"):
        run(request("survey", tmp_path / "out.toml", path))


def test_what_a_target_without_features_does_not_know_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", call("ann", 0))
    for target in ("survey", "channels"):
        asked = request(target, tmp_path / "out.toml", path)
        for option, value in (("features", ("queue",)), ("live", True), ("pairs", (("queue", "hour"),))):
            wrong = msgspec.structs.replace(asked, **{option: value})
            with pytest.raises(SettingError, match=f"{target} has no features"):
                run(wrong)
        with pytest.raises(SettingError, match=f"--target: found '{target}=3'; expected {target}"):
            run(msgspec.structs.replace(asked, target_text=f"{target}=3"))
    assert not (tmp_path / "out.toml").exists()


def test_pictures_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    events = history(120, 0.8, 0.6)
    for number, event in enumerate(events[:300:3]):
        about = {"channel": "survey", "journey": "contract", "metric": "ces", "version": "2.0", "score": 5}
        name = json.loads(event.value).get("subject")
        events.append(cloud_event("survey.response", event.time + 1, "survey", f"s{number}", name, about))
    path = written(tmp_path / "events.jsonl", sorted(events))
    for folder in ("first", "second"):
        for target in ("channels", "survey"):
            asked = request(target, tmp_path / f"{folder}.toml", path)
            report = run(msgspec.structs.replace(asked, pictures=tmp_path / folder))
            assert in_short(target, report)
    for name in ("channels.svg", "surveys.svg"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second
        assert b"<svg" in first
        assert b"technical_help" in first or b"ces" in first
