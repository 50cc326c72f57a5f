"""Back-tests against targets: the whole command on a few days of the bank, and the parts it is made of."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detectors.moment import Findings
from detectors.policy import DEFAULT_TEXT, default, parse
from streams.backtest import fold_chunks, fold_events, run
from streams.errors import SettingError
from streams.identity import Pseudonyms
from streams.settings import load
from streams.sources.api import SourceEvent, cloud_event
from streams.targets.labels import labels
from streams.targets.report import BUDGETS, threshold_of
from streams.targets.scoring import Asked
from streams.targets.spec import parse as target
from streams.targets.words import lines
from streams.ticks import under
from tests.sources.datasets import first_days, once

SOURCE = "anonymous-bank"
RECONTACT = target("recontact=3600,max=30")
NAMES = Pseudonyms(b"k" * 32, b"r" * 32)
# Human need by the length of the wait alone.
SECTION = """
[targets.recontact]
target = "recontact=3600"
events = ["call.ended", "call.abandoned"]
base = -2.0
[targets.recontact.numbers.wait_s]
edges = [30.0, 90.0, 200.0]
log_odds = [0.0, 0.25, 0.5, 1.0]
[targets.recontact.labels.outcome.log_odds]
queue = 1.5
ivr = 1.0
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return first_days(tmp_path_factory.mktemp("bank"), "990201")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "fitted.toml"
    path.write_text(DEFAULT_TEXT.replace("version = 1", "version = 7", 1) + SECTION)
    return path


@pytest.fixture(scope="module")
def reported(file: Path, fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The fitted policy compared with the default one; the report as it was written, with its table."""
    directory = tmp_path_factory.mktemp("out")
    asked = Asked((RECONTACT, target("abandon=60")), default(), ("priority",))
    run(
        load(policy=fitted),
        SOURCE,
        [file],
        asked=asked,
        scores_out=directory / "scores.csv",
        report_out=directory / "report.json",
    )
    found: dict[str, Any] = json.loads((directory / "report.json").read_bytes())
    with (directory / "scores.csv").open(newline="") as stream:
        found["scores"] = list(csv.DictReader(stream))
    return found


def test_auc_is_that_of_the_table_beside_the_labels(reported: dict[str, Any], file: Path) -> None:
    found = reported["targets"][RECONTACT.text]
    truth = labels(RECONTACT, once(SOURCE, file).events, zone="Asia/Jerusalem")
    bad = {event_id.split("@")[0]: label.positive for (_, event_id), label in truth.items()}
    ends = [row for row in reported["scores"] if row["type"] in ("call.ended", "call.abandoned")]
    rows = [(bad[row["source_ref"]], row) for row in ends if row["source_ref"] in bad]
    assert found["n"]["value"] == len(rows) == len(bad)
    positive = [one for one, _ in rows]
    for name, figure in (("human_need", found), ("effort", found["references"]["effort"])):
        score = [float(row[name] or 0) for _, row in rows]
        assert figure["auc"]["value"] == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
        assert figure["auc"]["low"] < figure["auc"]["value"] < figure["auc"]["high"]
    gave_up = [float(row["type"] == "call.abandoned") for _, row in rows]
    flag = found["references"]["gave_up"]
    assert flag["auc"]["value"] == pytest.approx(roc_auc_score(positive, gave_up), abs=1e-12)
    assert flag["difference"]["auc"]["value"] == pytest.approx(found["auc"]["value"] - flag["auc"]["value"])
    assert found["section"] == "targets.recontact"


def test_another_policy_is_compared_on_the_same_rows(reported: dict[str, Any], file: Path) -> None:
    found = reported["targets"][RECONTACT.text]["compare"]
    alone = run(load(), SOURCE, [file], asked=Asked((RECONTACT,)))["targets"][RECONTACT.text]
    assert found["policy_version"] == 1
    assert found["auc"]["value"] == alone["auc"].value
    assert found["n"]["value"] == alone["n"].value
    gap = found["difference"]["auc"]
    own = reported["targets"][RECONTACT.text]["auc"]
    assert gap["value"] == pytest.approx(own["value"] - found["auc"]["value"])


def test_a_target_without_a_section_has_the_main_ones_human_need(
    reported: dict[str, Any], file: Path
) -> None:
    """Also where it stands beside one that has a section, whose human need is the table's."""
    (alone,) = run(load(), SOURCE, [file], asked=Asked((target("abandon=60"),)))["targets"].values()
    found = reported["targets"]["abandon=60"]
    assert found["section"] == "need"
    assert found["brier"]["value"] == pytest.approx(alone["brier"].value, abs=1e-12)
    assert found["compare"]["difference"]["auc"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_a_section_further_on_has_its_own_human_need(
    reported: dict[str, Any], file: Path, fitted: Path
) -> None:
    second = run(load(policy=fitted), SOURCE, [file], asked=Asked((target("abandon=60"), RECONTACT)))
    found = second["targets"][RECONTACT.text]
    first = reported["targets"][RECONTACT.text]
    assert found["brier"].value == pytest.approx(first["brier"]["value"], abs=1e-12)
    assert found["references"]["effort"]["auc"].value == first["references"]["effort"]["auc"]["value"]


def test_budgets_are_kept_and_thresholds_give_what_they_say(reported: dict[str, Any], file: Path) -> None:
    found = reported["targets"][RECONTACT.text]
    truth = labels(RECONTACT, once(SOURCE, file).events, zone="Asia/Jerusalem")
    bad = {event_id.split("@")[0]: label for (_, event_id), label in truth.items()}
    ends = [row for row in reported["scores"] if row["type"] in ("call.ended", "call.abandoned")]
    rows = [(float(row["human_need"]), bad[row["source_ref"]]) for row in ends if row["source_ref"] in bad]
    assert [one["per_1000_customers_a_day"] for one in found["budgets"]] == list(BUDGETS)
    told = [one for one in found["budgets"] if one["threshold"] is not None]
    assert told
    for one in told:
        raised = [label for need, label in rows if need >= one["threshold"]]
        assert one["alerts"] == len(raised) <= one["per_1000_customers_a_day"] * found["customer_days"] / 1000
        right = [label.lead / 1000 for label in raised if label.lead is not None]
        assert one["precision"]["value"] == pytest.approx(len(right) / len(raised))
        assert one["recall"]["value"] == pytest.approx(len(right) / sum(label.positive for _, label in rows))
        if right:
            assert one["lead_s"]["median"] == pytest.approx(np.median(right))


def test_from_and_until_bound_the_rows_and_change_no_score(file: Path, reported: dict[str, Any]) -> None:
    events = once(SOURCE, file).events
    middle = events[len(events) // 2].time
    parts = [
        run(load(), SOURCE, [file], start=start, until=until, asked=Asked((RECONTACT,)))["targets"]
        for start, until in ((None, middle), (middle, None))
    ]
    counts = [part[RECONTACT.text]["n"].value for part in parts]
    assert sum(counts) == reported["targets"][RECONTACT.text]["n"]["value"]
    assert min(counts) > 100


def test_many_records_at_a_time_are_as_each_by_itself(file: Path) -> None:
    """Rejected ones among them."""
    events = list(once(SOURCE, file).events[:1_500])
    bad = [one._replace(value=b"{", id=f"bad{place}") for place, one in enumerate(events[::97])]
    items = list(under(default(), sorted([*events, *bad]), now_ms=events[-1].time))
    one_by_one, together = Findings(), Findings()
    for found in fold_events(items, default(), NAMES):
        merge(found.findings, one_by_one)
    for findings in fold_chunks(items, default(), NAMES):
        merge(findings, together)
    assert together.desk == one_by_one.desk
    stamps = {"dead_letters": 3}
    for name, rows in one_by_one.rows.items():
        others = together.rows[name]
        at = stamps.get(name)
        assert [row[:at] for row in others] == [row[:at] for row in rows], name
    assert len(together.rows["dead_letters"]) == len(bad)


def merge(one: Findings, whole: Findings) -> None:
    for name, rows in one.found.items():
        for row in rows:
            whole.add(name, row)
    whole.desk.extend(one.desk)


def test_thresholds() -> None:
    need = np.array([0.9, 0.8, 0.8, 0.1])
    assert [threshold_of(need, most) for most in (0, 1, 2, 3, 4, 9)] == [None, 0.9, 0.9, 0.8, 0.1, 0.1]


def test_lines_for_people(reported: dict[str, Any]) -> None:
    text = "\n".join(lines("targets", reported["targets"]))
    assert "recontact=3600,max=30: AUC 0." in text
    assert "AUC of policy 1 to compare with 0." in text
    assert "50 alerts per 1,000 customers a day: from 0." in text
    assert max(map(len, text.splitlines())) < 200


def test_a_file_without_such_events_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(cloud_event("page_view", 1_700_000_000_000, "web", "1", "c", {}).value + b"\n")
    specs = (RECONTACT, target("reopen"), target("survey"))
    found = run(load(), "cloudevents", [path], asked=Asked(specs, default()))
    assert [one["n"].value for one in found["targets"].values()] == [0.0, 0.0, 0.0]
    assert [line for line in lines("targets", found["targets"]) if "0 rows" in line]
    assert list(lines("declared", found["declared"])) == []


def test_nobodys_id_is_in_the_report(reported: dict[str, Any], file: Path) -> None:
    said = json.dumps({name: value for name, value in reported.items() if name != "scores"})
    subjects = {event.key.decode() for event in once(SOURCE, file).events}
    assert not [one for one in subjects if len(one) > 6 and one in said]


def test_an_id_that_holds_the_customers_own_is_found_again(tmp_path: Path) -> None:
    """The fold takes a customer's id out of whatever else it stands in."""
    path = tmp_path / "events.ndjson"
    at = 1_700_000_000_000
    ends = [cloud_event("call.ended", at + n, "acd", f"jane-7/{n}", "jane-7", {}) for n in (0, 7_200_000)]
    path.write_bytes(b"".join(event.value + b"\n" for event in ends))
    (found,) = run(load(), "cloudevents", [path], asked=Asked((RECONTACT,)))["targets"].values()
    assert (found["n"].value, found["not_scored"]) == (1.0, 0)


def answers(step: str, score: int, customers: int, spread: int = 2) -> list[SourceEvent]:
    """Customers who struggle at a step so often, then say how easy it was (CES 2.0)."""
    made = []
    for number in range(customers):
        subject, start = f"{step}{number}", 1_700_000_000_000 + number * 60_000
        data = {"journey": "order", "step": step, "session_id": f"s{number}"}
        for page in range(12):
            at = start + page * 1_000
            made.append(cloud_event("page_view", at, "web", f"{subject}/{page}", subject, data))
        survey = data | {"metric": "ces", "version": "2.0", "score": score - number % spread}
        made.append(cloud_event("survey.response", start + 50_000, "web", f"{subject}/s", subject, survey))
    return made


def test_where_people_say_something_else_than_the_score(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    events = answers("pay", 3, 40) + answers("basket", 7, 40, 1) + answers("rare", 1, 5)
    path.write_bytes(b"".join(event.value + b"\n" for event in events))
    found = run(load(), "cloudevents", [path], asked=Asked((target("survey"),)))["declared"]
    assert found["answers"] == 83, "two were off their scale"
    assert {one["step"]: one["answers"] for one in found["steps"]} == {"basket": 40, "pay": 40}
    pay = next(one for one in found["findings"] if one["step"] == "pay")
    assert pay["declared"].value == pytest.approx(2.5)
    assert pay["difference"].value == pytest.approx(2.5 - pay["inferred"].value)
    assert pay["difference"].high < -1
    assert [one["step"] for one in found["findings"]] == ["pay"]


def test_a_policy_to_compare_with_that_cannot_be(tmp_path: Path) -> None:
    from streams import policies

    with pytest.raises(SettingError, match=r"^--compare: found"):
        policies.read("--compare", tmp_path / "none.toml")
    assert parse(DEFAULT_TEXT).version == 1
