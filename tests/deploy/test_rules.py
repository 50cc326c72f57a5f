"""The Prometheus rules, judged by Prometheus itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from prometheus_client import generate_latest

import streams.metrics  # noqa: F401 - fills the catalogue

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
TRIED = Path(__file__).with_name("rules_test.yml")


def promtool(*arguments: object) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_rules_and_do_what_is_said() -> None:
    promtool("check", "rules", RULES)
    promtool("test", "rules", TRIED)


def test_each_is_tried_both_ways() -> None:
    for name in re.findall(r"- alert: (\w+)", RULES.read_text()):
        told = re.findall(rf"alertname: {name}(.*)", TRIED.read_text())
        assert len(told) > 1, name


def test_they_ask_for_metrics_that_there_are() -> None:
    known = set(re.findall(r"^# TYPE (\w+)", generate_latest().decode(), re.MULTILINE))
    asked = set(re.findall(r"rehuman_[a-z_]+", RULES.read_text()))
    assert asked
    assert asked <= known


def test_what_has_not_happened_yet_is_nought() -> None:
    """The first time is an increase only where there was a sample before it."""
    told = generate_latest().decode()
    assert 'rehuman_source_breaker_total{change="parked"}' in told
    for reason in ("fold_failed", "output_failed", "row_failed", "state_failed"):
        assert f'rehuman_dead_letters_total{{reason="{reason}"}}' in told
