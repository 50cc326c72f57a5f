"""The card, made from the figures alone: the same figures give the same text."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.accuracy.common import Figures
from benchmarks.accuracy.render_people import fairness, people, questions
from benchmarks.accuracy.render_scores import scores
from benchmarks.accuracy.render_waits import answers, waits
from benchmarks.accuracy.words import count, figure, name, percent, plain, table
from benchmarks.accuracy.worst import worst

__all__ = ["render"]

_SETS = {
    "bank": "Technion's *Anonymous Bank*, a call centre, February 1999",
    "incidents": "UCI's *incident management process enriched event log* (Amaral et al. 2018, CC BY 4.0)",
}
# Where a class has this share of the cases, always saying it can hardly be beaten.
_ONE_CLASS = 0.95
_UNKNOWN = (
    "What real customers do across web, chat and telephone: no public set follows one of them. Everything "
    "about switches, silence, causes and levels holds for simulated people.",
    "What an intervention changes. The scores foretell what came without one; whether a call would have "
    "helped, only an experiment says.",
    "Other years and other companies. Each real task is one company, one split and one later stretch: four "
    "weeks of one bank in 1999, and incidents of one firm.",
    "Reopening of what is still open at the end of the file, and, with so few positives, anything finer than "
    "the intervals show.",
    "What an announced wait does: the bank announced none.",
    "Fairness by age, segment or tier of real people: the public sets do not have them; their priorities are "
    "attributes of the process.",
    "The wording of messages: the sets have no texts, and the simulator's emotions are given.",
)


def render(figures: Figures) -> str:
    """``docs/accuracy.md``."""
    return "\n".join(_page(figures)).rstrip("\n") + "\n"


def _page(figures: Figures) -> Iterator[str]:
    yield "# Accuracy card"
    yield ""
    yield (
        "How right the scores are, on public data and on simulated truth. `python -m "
        "benchmarks.accuracy` made "
        "this page from `benchmarks/accuracy/figures.json`, which it measures anew; nothing here is "
        "written by "
        "hand, and a test compares. Behind each figure is its 95 % interval: resamples of customers, not of "
        "rows, unless another is named. AUC is the chance that a bad outcome is ranked above a good one."
    )
    yield ""
    yield from _short(figures)
    yield from worst(figures)
    yield "## What is not known"
    yield ""
    for one in _UNKNOWN:
        yield f"* {one}"
    yield ""
    if data := figures.get("data"):
        yield from _data(data)
    for key in ("calls", "cases"):
        if key in figures:
            yield from scores(key, figures[key])
    if found := figures.get("waits"):
        yield from waits(found)
    if found := figures.get("people"):
        yield from people(found)
    if found := figures.get("answers"):
        yield from answers(found)
    yield from fairness(figures)


def _short(figures: Figures) -> Iterator[str]:
    yield "## In short"
    yield ""
    rows = []
    for key, what in (("calls", "who calls again within the hour"), ("cases", "which incident is reopened")):
        if found := figures.get(key):
            flag = found["flag"]
            one = found["scores"]
            rows.append(
                [
                    f"{what} (AUC)",
                    figure(one["additive"]["auc"]),
                    f"gradient boosting {figure(one['boosting']['auc'])}; built-in policy, uncalibrated, "
                    f"{figure(found['default']['auc'])}; {name(flag)} "
                    f"{figure(found['alerts']['counts'][flag]['auc'])}",
                    f"{count(found['n'])} rows, {percent(found['base_rate'])} bad",
                ]
            )
    if found := figures.get("waits"):
        held = found["held_back"]
        loss = held["log_loss"]
        rows.append(
            [
                "who hangs up in the next minute",
                f"{held['tenths_right']} of {len(held['reliability'])} tenths within 3 points or inside",
                f"log-loss {plain(loss['fitted'], 4)}, a constant rate's {plain(loss['constant'], 4)}",
                f"{count(held['waits'])} waits",
            ]
        )
    if found := figures.get("people"):
        rows += _questions(found)
    yield from table(["what", "figure", "beside", "of"], rows)
    yield ""
    yield (
        "Of the questions on simulated people it is the pack in which the answers are least ahead, of "
        "those in "
        f"which no class has {100 * _ONE_CLASS:.0f} % or more of the cases: the others only count "
        "false alarms."
    )
    yield ""


def _questions(found: Figures) -> Iterator[list[str]]:
    """Of each question on simulated people the pack in which it is least ahead; not where all is one "
    "class."""
    asked: dict[str, list[tuple[float, str, str, Figures]]] = {}
    for pack, question, one in questions(found):
        if one["ahead"]["value"] is not None and one["commonest"]["value"] < _ONE_CLASS:
            entry = (one["ahead"]["value"], pack, question, one)
            asked.setdefault(question.partition(",")[0], []).append(entry)
    for entries in asked.values():
        _, pack, question, one = min(entries, key=lambda entry: entry[:3])
        yield [
            f"{question}, simulated (share right)",
            figure(one["accuracy"]),
            f"always the commonest class {figure(one['commonest'])}",
            f"{count(one['cases'])} cases of `{pack}`, the least ahead of {len(entries)}",
        ]


def _data(found: Figures) -> Iterator[str]:
    yield "## Data and splits"
    yield ""
    for key, one in found.items():
        fit, apart = one["fit"], one["apart"]
        counts = "; ".join(
            f"{name(score)} ranks with AUC {figure(auc)}" for score, auc in apart["counts"].items()
        )
        yield (
            f"* **{_SETS[key]}**: {count(one['rows'])} rows, {count(one['used'])} used, "
            f"{count(one['events'])} "
            f"events from {one['from']} to {one['until']}. Target `{one['target']}`. Fitted is what "
            "was known "
            f"before {one['cut']}: {count(fit['n'])} decisions, {count(fit['positives'])} bad "
            f"({percent(fit['base_rate'])}). Kept apart: {count(apart['n'])} decisions from then on, "
            f"{count(apart['positives'])} bad ({percent(apart['base_rate'])}). There, {counts}."
        )
    yield (
        "* **Simulated people**: [simulate](simulate.md). Detectors were tuned on other seeds than these, "
        "which were looked at when no detector was to be changed any more (more than once, as this page is "
        "made anew with the rest)."
    )
    yield ""
    yield (
        "The last day before the cut is left out of the fit of reopening, as its outcomes have not "
        "had the time "
        "to happen. Incidents of the later part were opened after the cut; what was opened before it "
        "and solved "
        "after it is "
        "in neither part. Callers with more than 30 calls in the month and unidentified ones are left "
        "out, in "
        "fit and report. [Sources](sources.md) says how rows become events."
    )
    yield ""
