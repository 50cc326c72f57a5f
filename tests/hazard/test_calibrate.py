"""The whole way on three days of the bank: fit, policy, report, and who would have been named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from detectors.policy import DEFAULT_TEXT, parse
from streams.calibrate import in_short
from streams.calibrate.request import Request
from streams.cli.app import run as rehuman
from streams.errors import SettingError
from streams.hazard.calibrate import run
from streams.settings import load
from streams.sources.api import cloud_event
from tests.sources.datasets import first_days

# Wednesday, 3 February 1999, in Jerusalem.
WEDNESDAY = 917_992_800_000


class Done(NamedTuple):
    report: dict[str, Any]
    text: str
    directory: Path


def ask(directory: Path, files: tuple[Path, ...], **other: Any) -> Request:
    asked: dict[str, Any] = {
        "settings": load(None),
        "source": "anonymous-bank",
        "files": files,
        "target_text": "abandon=60",
        "policy_out": directory / "policy.toml",
    }
    return Request(**(asked | other))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Done:
    directory = tmp_path_factory.mktemp("hazard")
    base = directory / "base.toml"
    base.write_text(DEFAULT_TEXT.replace("base = -3.0", "base = -3.25"), "utf-8")
    outputs = {"report_out": directory / "report.json", "pictures": directory / "pictures", "base": base}
    report = run(ask(directory, (first_days(directory),), holdout=WEDNESDAY, **outputs))
    return Done(report, (directory / "policy.toml").read_text("utf-8"), directory)


def test_the_policy_is_the_base_with_one_section_more(bank: Done) -> None:
    base = DEFAULT_TEXT.replace("base = -3.0", "base = -3.25")
    assert bank.text.startswith(base.rstrip("\n"))
    policy = parse(bank.text)
    hazard = policy.hazard_queue
    assert hazard is not None
    assert (hazard.ahead, hazard.interval, hazard.protected) == (60_000, 10_000, False)
    # Alone, the factor lifts whom nothing else is known of to the line.
    assert hazard.may_leave == 3.3
    assert 0.1 < hazard.line < 0.5
    assert set(policy.document.hazard.queue.labels) == {"queue"}  # type: ignore[union-attr]
    assert hazard.label.at("NW") > max(hazard.label.at("PS"), hazard.label.at("NE"))


def test_the_report_says_how_right_it_is(bank: Done) -> None:
    report = bank.report
    assert json.loads((bank.directory / "report.json").read_text()) == json.loads(json.dumps(report))
    assert report["protected"] == []
    held = report["held_back"]
    assert held["log_loss"]["fitted"] < held["log_loss"]["constant"]
    assert held["tenths_right"] >= 8
    assert sum(group["looks"] for group in held["reliability"]) == held["looks"]
    assert set(report["with_and_without_protected"]) == {"without_priority", "with_priority"}
    assert report["fitted_on"]["waits"] + held["waits"] > 2_500
    curves = report["curves"]
    stays = [share for _, share in curves["kaplan_meier"]]
    assert stays == sorted(stays, reverse=True)
    assert stays[0] == 1.0 > stays[-1]


def test_some_are_named_before_they_hang_up(bank: Done) -> None:
    found = bank.report["foresight"]
    assert 0 < found["hang_ups_named_before"] < found["hang_ups"] < found["waits"]
    assert found["named_in_vain"] > 0
    assert found["lead_s"]["quarter"] <= found["lead_s"]["median"] <= found["lead_s"]["three_quarters"]
    assert found["named_that_long_before"] <= found["hang_ups_named_before"]


def test_it_is_told_in_short(bank: Done) -> None:
    told = in_short("abandon", bank.report)
    assert told[0] == "protected attributes in this risk: none"
    assert any("named before" in line and "in vain" in line for line in told)


def test_there_are_pictures(bank: Done) -> None:
    assert len(bank.report["pictures"]) == 4
    for name in bank.report["pictures"]:
        text = (bank.directory / "pictures" / name).read_text("utf-8")
        assert text.startswith("<?xml")
        assert "</svg>" in text


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"target_text": "recontact=60"}, "--target"),
        ({"target_text": "abandon=90000"}, "at most abandon=10000"),
        ({"target_text": "abandon"}, "--target"),
        ({"wait": "lift"}, "--wait: found 'lift'; expected one of queue, form, cart"),
        ({"with_protected": ("age",)}, "--with-protected: found 'age'"),
        ({"wait": "form", "with_protected": ("priority",)}, "--with-protected: found 'priority'"),
        ({"features": ("hour",)}, "--features"),
        ({"live": True}, "--live"),
        ({"base": Path("no/such/policy.toml")}, "--base"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(tmp_path: Path, other: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError, match=says.replace("(", r"\(")) as caught:
        run(ask(tmp_path, (), **other))
    assert "\n" not in str(caught.value)


def shop(path: Path, visits: int) -> Path:
    """Visitors of a form: of each seven one leaves it without a word, one comes back after a while."""
    events = []
    for number in range(visits):
        at = 1_704_099_600_000 + number * 60_000
        about = {"channel": "web", "session_id": f"s{number}", "journey": "loan", "step": "income"}
        told = [("form_start", 0)]
        if number % 7 != 3:
            away = 400_000 if number % 7 == 5 else 20_000
            told += [("form_change", away), ("form_submit", away + 15_000)]
        for kind, after in told:
            events.append(cloud_event(kind, at + after, "web", f"{number}{kind}", f"c{number}", about))
    path.write_bytes(b"\n".join(event.value for event in sorted(events)) + b"\n")
    return path


def command(directory: Path, visits: int) -> list[str]:
    path, out = shop(directory / "e.jsonl", visits), directory / "policy.toml"
    return [
        "calibrate",
        "cloudevents",
        str(path),
        "--target",
        "abandon=60",
        "--wait",
        "form",
        "--policy-out",
        str(out),
    ]


def test_a_form_from_inactivity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As said by hand: gone are 1 of 7 at once, and from a minute on half, since only two sorts are left."""
    assert rehuman([*command(tmp_path, 700), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    hazard = parse((tmp_path / "policy.toml").read_text("utf-8")).hazard_form
    assert hazard is not None
    fixed = hazard.fixed("loan/income", 9, "")
    assert hazard.risk(fixed, 120_000, 180_000, -1.0) == pytest.approx(0.5, abs=0.07)
    # Two pauses a visit that goes on, one of a visit that does not.
    assert hazard.risk(fixed, 0, 60_000, -1.0) == pytest.approx(1 / 13, abs=0.04)
    assert hazard.risk(fixed, 900_000, 960_000, -1.0) > 0.9
    assert report["held_back"]["of"].startswith("the last sixth")
    assert "foresight" not in report


def test_too_little_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rehuman(command(tmp_path, 60)) == 1
    shown = capsys.readouterr()
    assert "too few to fit" in shown.err
    assert not (tmp_path / "policy.toml").exists()
