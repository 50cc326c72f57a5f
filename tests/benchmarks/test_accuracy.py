"""The accuracy card says what was measured: text and pictures are made from the figures, and these again."""

from __future__ import annotations

import copy
import doctest
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import common, words, worst
from benchmarks.accuracy.__main__ import SECTIONS, main, read
from benchmarks.accuracy.common import ROOT, Where, kept
from benchmarks.accuracy.pictures import PICTURES, digest, draw
from benchmarks.accuracy.render import render
from tests.sources.datasets import root


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return read()


@pytest.fixture(scope="module")
def card() -> str:
    return (ROOT / "docs/accuracy.md").read_text("utf-8")


@pytest.mark.parametrize("module", [common, words, worst])
def test_examples_of_the_modules_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]  # a module it is


def test_the_card_is_what_the_figures_say(figures: dict[str, Any], card: str) -> None:
    assert card == render(figures)


def test_every_section_was_measured(figures: dict[str, Any]) -> None:
    assert list(figures) == list(SECTIONS)


def test_a_figure_that_changes_changes_the_card(figures: dict[str, Any], card: str) -> None:
    """Each section's, so that none of them is on the page as it once was."""

    def nudge(found: Any) -> None:
        items = found.items() if isinstance(found, dict) else enumerate(found)
        for key, value in list(items):
            if isinstance(value, dict | list):
                nudge(value)
            elif isinstance(value, float) and 0 < abs(value) < 1:
                found[key] = value / 2

    for name in figures:
        if name != "small":  # which is there for the test below
            other = copy.deepcopy(figures)
            nudge(other[name])
            assert render(other) != card, name


@pytest.mark.parametrize("section", PICTURES)
def test_the_pictures_are_of_these_figures(section: str, figures: dict[str, Any], card: str) -> None:
    picture = (ROOT / "docs/images" / PICTURES[section]).read_text("utf-8")
    assert digest(section, figures[section]) in picture
    assert f"(images/{PICTURES[section]})" in card


def test_the_same_figures_give_the_same_pictures(figures: dict[str, Any], tmp_path: Path) -> None:
    drawn = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        draw(figures, tmp_path / name)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert drawn[0] == drawn[1]
    assert sorted(drawn[0]) == sorted(PICTURES.values())


def test_the_sets_measured_again_give_the_same_figures(figures: dict[str, Any], tmp_path: Path) -> None:
    """Labels, base rates and single counts of both sets, whole, by the command: nothing is folded."""
    assert main(["--datasets", str(root()), "--only", "data", "--out", str(tmp_path)]) == 0
    again = read(tmp_path)
    assert again == {"data": figures["data"]}
    assert (tmp_path / "docs/accuracy.md").read_text("utf-8") == render(again)


def test_the_counts_of_the_fit_are_those_of_the_data(figures: dict[str, Any]) -> None:
    """Where a fit left rows out that the labels have, the two would not be of the same."""
    for name, data in (("calls", "bank"), ("cases", "incidents")):
        apart = figures["data"][data]["apart"]
        assert figures[name]["n"] == apart["n"]
        assert figures[name]["base_rate"] == apart["base_rate"]
        for count, auc in apart["counts"].items():
            assert figures[name]["alerts"]["counts"][count]["auc"] == auc


def test_a_small_part_measured_again_gives_the_same_figures(figures: dict[str, Any], tmp_path: Path) -> None:
    """Three days of the bank under the built-in policy, and a few simulated people with all that is found."""
    assert kept(SECTIONS["small"](Where(root(), tmp_path))) == figures["small"]


def test_seeds_of_testing_are_not_those_of_tuning(figures: dict[str, Any]) -> None:
    people = figures["people"]
    assert not set(people["tuning"]) & set(people["testing"])
    assert len(people["packs"]) >= 3


def test_the_whole_is_not_made_of_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--small"])
    assert "--out" in capsys.readouterr().err
