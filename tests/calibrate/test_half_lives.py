"""Half-lives that call-backs depend on are found; where they depend on none, the base's stay."""

from __future__ import annotations

import json
import re
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import durations
from detectors.policy import DEFAULT_TEXT, Policy, parse
from detectors.policy_errors import PolicyError
from streams.calibrate import choose, half_lives, reference
from streams.calibrate.data import Rows, gather
from streams.calibrate.extra import one_thread
from streams.calibrate.half_lives import Halves, around, written
from streams.calibrate.text import with_fitted
from streams.cli.app import run
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent, cloud_event
from streams.targets.labels import labels
from streams.targets.spec import parse as parse_target
from tests.calibrate.made import HOUR, START, ndjson

TARGET = "recontact=3600"
DAY = 24 * HOUR
NAMES = Pseudonyms(b"p" * 32, b"r" * 32)
# Points of a friction, by type; all other points of these histories are taken out.
POINTS = {"rage_click": 4.0, "form_error": 2.0, "step.failed": 6.0}
QUIET = ("switch_forced", "repeat_contact", "switch_ping_pong")


def base_text(acute: str = "20min", chronic: str = "2d") -> str:
    text = re.sub(r'(acute_half_life = )"\w+"', rf'\1"{acute}"', DEFAULT_TEXT)
    text = re.sub(r'(chronic_half_life = )"\w+"', rf'\1"{chronic}"', text)
    for name in QUIET:
        text, count = re.subn(rf"(?m)^{name} = [\d.]+", f"{name} = 0.0", text, count=1)
        assert count
    return text


def history(half_life: float | None, people: int = 40, days: int = 30, seed: int = 7) -> list[SourceEvent]:
    """Some friction a day; after a call, the customer calls back by how much of it is left."""
    random = np.random.default_rng(seed)
    found: list[SourceEvent] = []
    for person in range(people):
        who = f"c{person}"
        count = random.poisson(2.0 * days)
        moments = np.sort(random.uniform(0.0, days * DAY, count)).astype(int)
        kinds = random.choice(list(POINTS), count)
        told: list[tuple[str, int, dict[str, object]]] = [
            (str(kind), int(at), {}) for kind, at in zip(kinds, moments, strict=True)
        ]
        points = np.array([POINTS[kind] for kind, _, _ in told])
        at = int(random.uniform(0.0, 2.0) * DAY)
        while at < days * DAY:
            about: dict[str, object] = {"conversation_id": f"{who}-{at}"}
            told.append(("call.queued", at - 60_000, about))
            told.append(("call.ended", at, about | {"talk_s": 60, "wait_s": 0}))
            chance = 0.3
            if half_life is not None:
                past = moments <= at
                left = float(points[past] @ np.exp(-log(2) * (at - moments[past]) / half_life))
                usual = 2.0 * float(np.mean(list(POINTS.values()))) / DAY * half_life / log(2)
                chance = 1.0 / (1.0 + exp(1.1 - 5.0 * (left / usual - 1.0)))
            soon = random.random() < min(chance, 0.8)
            at += int((random.uniform(0.2, 0.8) if soon else random.uniform(6.0, 40.0)) * HOUR)
        found += [
            cloud_event(kind, START + time, "made", f"{who}/{place}", who, data)
            for place, (kind, time, data) in enumerate(told)
        ]
    return sorted(found)


def searched(text: str, events: list[SourceEvent]) -> tuple[half_lives.Searched, list[Policy]]:
    """The search over a whole history, and the policies that it was folded under."""
    asked = labels(parse_target(TARGET), events)
    folded: list[Policy] = []

    def fold(policy: Policy) -> Rows:
        folded.append(policy)
        return gather("recontact", events, asked, policy, NAMES)

    base = parse(text)
    with one_thread():
        found = half_lives.search(base, "recontact", TARGET, DAY, fold(base), fold)
    return found, folded


def test_a_known_half_life_is_found() -> None:
    found, folded = searched(base_text(), history(12 * HOUR))
    # A line over each, not every pair; the acute one stays below the chronic one.
    halves = [policy.document.effort for policy in folded]
    assert len(folded) == 9
    assert all(one.acute_half_life < one.chronic_half_life for one in halves)
    effort = found.policy.document.effort
    assert effort.chronic_half_life in (12 * HOUR, 24 * HOUR)
    account = found.account
    assert account["changed"]
    (taken,) = [one for one in account["tried"] if one.kept and one.line == "chronic"]
    assert taken.difference.high < 0.0
    assert taken.beside_none.high < 0.0
    assert taken.p < 0.05
    assert taken.chronic == account["chosen"]["chronic"]
    by_chronic = {one.chronic: one.log_loss for one in account["tried"] if one.line == "chronic"}
    assert by_chronic["12h"] < by_chronic["4d"] < by_chronic["8d"]
    line = next(line for line in found.policy.text.splitlines() if line.startswith("chronic_half_life"))
    assert f"fitted to {TARGET}, 2d before; a bad week is remembered" in line
    assert "effort scores of all journeys change" in account["warning"].lower()


@pytest.mark.parametrize("half_life", [None, 48 * HOUR], ids=["no dependence", "the base's own"])
def test_the_base_stays(half_life: float | None) -> None:
    text = base_text()
    found, _ = searched(text, history(half_life))
    assert found.policy.text == text
    account = found.account
    assert not account["changed"]
    assert account["warning"] is None
    assert account["before"] == account["chosen"] == {"acute": "20min", "chronic": "2d"}
    assert len(account["tried"]) == 9
    beside = account["tried"][0].beside_none
    assert beside.high > 0.0 if half_life is None else beside.high < 0.0


@pytest.mark.parametrize(("people", "days"), [(2, 4), (13, 30)], ids=["outcomes", "customers"])
def test_too_few_to_tell(people: int, days: int) -> None:
    found, folded = searched(base_text(), history(12 * HOUR, people=people, days=days))
    assert len(folded) == 1
    assert "too few bad outcomes" in found.account["words"]
    assert found.account["tried"][0].log_loss is None


def test_the_grid() -> None:
    base = Halves(20 * 60_000, 72 * HOUR)
    assert [one.words for one in around(base, "acute")] == [
        "5min and 3d", "10min and 3d", "40min and 3d", "80min and 3d",
    ]  # fmt: skip
    assert [written(one.chronic) for one in around(base, "chronic")] == ["18h", "36h", "6d", "12d"]
    near = Halves(HOUR, 2 * HOUR)
    assert [one.words for one in around(near, "chronic")] == ["1h and 4h", "1h and 8h"]
    assert [one.words for one in around(Halves(2_000, HOUR), "acute")] == [
        "1s and 1h", "4s and 1h", "8s and 1h",
    ]  # fmt: skip


@given(st.integers(1, 400 * DAY))
def test_durations_are_exact(ms: int) -> None:
    assert durations.parse(written(ms)) == ms


def test_every_other_line_stays() -> None:
    before = DEFAULT_TEXT + "# The end: acute_half_life = 1h\n"
    once = with_fitted(before, "effort", "acute_half_life", "80min", TARGET)
    changed = [
        pair for pair in zip(before.splitlines(), once.splitlines(), strict=True) if len(set(pair)) > 1
    ]
    assert changed == [
        (
            'acute_half_life = "20min"   # annoyance inside a visit; a session is 30 min by convention',
            f'acute_half_life = "80min"   # fitted to {TARGET}, 20min before; annoyance inside a visit; '
            "a session is 30 min by convention",
        )
    ]
    # The next fit's note takes the place of this one's.
    again = with_fitted(once, "effort", "acute_half_life", "40min", "reopen")
    assert '40min"   # fitted to reopen, 80min before; annoyance inside' in again
    assert again.count("fitted to") == 1
    bare = with_fitted("[effort]\nacute_half_life='1h'\n", "effort", "acute_half_life", "2h", "reopen")
    assert bare == '[effort]\nacute_half_life="2h"  # fitted to reopen, 1h before\n'


@pytest.mark.parametrize(
    "text",
    ['effort = { a = "1h" }\n', 'effort.a = "1h"\n', '[effort]\na = """\n1h"""\n', '[other]\na = "1h"\n'],
)
def test_a_value_without_a_line_of_its_own_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"effort\.a: found no such line; expected a line of its own"):
        with_fitted(text, "effort", "a", "2h", "reopen")


def test_from_files_to_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The section is fitted under what was chosen; what came after the holdout has no say in it."""
    monkeypatch.setattr(half_lives, "FACTORS", (0.25,))
    monkeypatch.setattr(choose, "ROUNDS", (50,))
    monkeypatch.setattr(reference, "ROUNDS", (50,))
    monkeypatch.setenv("REHUMAN_PSEUDONYM_KEY", "p" * 32)
    monkeypatch.setenv("REHUMAN_REFERENCE_KEY", "r" * 32)
    events = history(12 * HOUR, days=26)
    cut = START + 22 * DAY
    base = tmp_path / "base.toml"
    reopen = '[targets.reopen]\ntarget = "reopen"\nevents = ["ticket.solved"]\nbase = 0.5\n'
    base.write_text(f"{base_text()}\n{reopen}")
    found = []
    # The second time, only some of what follows the holdout happens.
    for name, kept in (("whole", events), ("less", [e for e in events if e.time < cut + 3 * DAY])):
        path, out, report = (tmp_path / f"{name}.{end}" for end in ("ndjson", "toml", "json"))
        path.write_bytes(ndjson(kept))
        more = ["--holdout", "2024-01-23T09:00:00Z", "--features", "effort_customer,wait_s"]
        options = [*more, "--base", str(base), "--report-out", str(report), "--half-lives"]
        arguments = ["calibrate", "cloudevents", str(path), "--target", TARGET, "--policy-out", str(out)]
        assert run([*arguments, *options]) == 0
        found.append((out.read_text(), json.loads(report.read_text())))
    (text, told), (other, same) = found
    assert text == other
    account = told["half_lives"]
    assert account == same["half_lives"]
    assert account["chosen"]["chronic"] == "12h"
    assert account["fit_anew"] == ["targets.reopen"]
    assert account["warning"].endswith("Fit anew: targets.reopen.")
    policy = parse(text)
    assert written(int(policy.document.effort.chronic_half_life)) == account["chosen"]["chronic"]
    assert policy.targets["reopen"].base == 0.5
    assert told["proof"]["additive"]["auc"]["value"] > told["proof"]["policy_before"]["auc"]["value"]
    shown = capsys.readouterr().out
    assert account["words"] in shown
    assert f"Warning: {account['warning']}" in shown

    # A base whose half-lives have no lines of their own is refused before anything is folded.
    base.write_text(base.read_text().replace('acute_half_life = "20min"', 'acute_half_life = """20min"""'))
    assert run([*arguments, "--base", str(base), "--half-lives"]) == 2
    assert "--base: effort.acute_half_life: found no such line" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["abandon=60", "channels", "survey"])
def test_targets_that_do_not_know_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    path, out = tmp_path / "calls.ndjson", tmp_path / "p.toml"
    path.write_bytes(ndjson(history(None, people=1, days=2)))
    arguments = ["calibrate", "cloudevents", str(path), "--target", target, "--policy-out", str(out)]
    assert run([*arguments, "--half-lives"]) == 2
    assert "--half-lives: found" in capsys.readouterr().err
    assert not out.exists()
