"""The card's part on simulated truth, and on groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.accuracy.common import Figures, listed
from benchmarks.accuracy.words import LEVELS, count, figure, name, percent, plain, table

__all__ = ["fairness", "people", "questions"]

_CLASSES = ["pack", "class", "true", "found", "precision", "recall"]
_SHARES = frozenset(["alert_rate", "precision", "recall", "false_alarm_rate", "base_rate"])
_GROUPED = (("calls", "bank"), ("cases", "incidents"))


def questions(found: Figures) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Pack, question and answers: every question that has classes."""
    for pack, one in found["packs"].items():
        yield pack, "switches by kind", one["switches"]
        for kind, cases in one["abandonments"].items():
            yield pack, f"abandonment, {kind}", cases
        yield pack, "silent abandonment", one["silent"]
        yield pack, "cause", one["cause"]
        yield pack, "level of human need", one["level"]


def people(found: Figures) -> Iterator[str]:
    """Simulated truth."""
    seeds = listed(found["testing"])
    events = sum(one["events"] for one in found["packs"].values())
    yield "## Simulated truth"
    yield ""
    yield (
        "What no public set has is measured on people of [`rehuman simulate`](simulate.md): it holds "
        "for them, "
        f"and is no evidence that real customers behave alike. The detectors were tuned on seeds "
        f"{listed(found['tuning'])}, and are tested here on seeds {seeds}, {count(found['customers'])} "
        "customers "
        f"in {found['hours']} hours each, {count(events)} events in all. Beside each answer stands the "
        "commonest "
        "class, always given; both on the same resamples of customers."
    )
    yield ""
    rows = []
    for pack, question, one in questions(found):
        rows.append(
            [
                question,
                f"`{pack}`",
                count(one["cases"]),
                figure(one["accuracy"]),
                f"{name(one['commonest_class'] or 'nothing')} {figure(one['commonest'])}",
                figure(one["ahead"]),
                figure(one["macro_recall"]),
            ]
        )
    rows.sort(key=lambda row: row[0])
    head = [
        "question",
        "pack",
        "cases",
        "right",
        "always the commonest",
        "ahead by",
        "mean recall of classes",
    ]
    yield from table(head, rows)
    yield ""
    if "happy-shoppers" in found["packs"]:
        yield (
            "`happy-shoppers` counts false alarms: they hop between devices, stop, come back and are fine. "
            "Nearly all of it is one class, and no answer can be ahead of always giving that."
        )
        yield ""
    yield from _classes("Switches by kind", "switches", found["packs"])
    yield from _abandonments(found["packs"])
    yield from _classes("Silent abandonment", "silent", found["packs"])
    yield from _probabilities("silent abandonment", "silent_probability", found["packs"])
    yield from _classes("By default or by preference", "cause", found["packs"])
    yield from _confusion("cause", found["packs"], ())
    yield from _classes("Human need by level", "level", found["packs"])
    yield from _confusion("level", found["packs"], LEVELS)
    yield from _probabilities("a human is needed", "human_needed", found["packs"])


def _classes(title: str, key: str, packs: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    rows = [row for pack, one in packs.items() for row in _of_classes(pack, one[key]["classes"])]
    yield from table(_CLASSES, rows)
    yield ""


def _of_classes(pack: str, classes: Mapping[str, Any]) -> Iterator[list[str]]:
    for kind, one in classes.items():
        if not kind:
            continue  # nothing to be found
        yield [
            f"`{pack}`",
            name(kind),
            count(one["truth"]),
            count(one["found"]),
            figure(one["precision"]),
            figure(one["recall"]),
        ]


def _abandonments(packs: Mapping[str, Any]) -> Iterator[str]:
    yield "### Abandonment"
    yield ""
    yield (
        "Sources say themselves that somebody left a bot, a menu or a queue, so little is inferred there; of "
        "steps, forms and carts, most of it is. What people stop is true, however soon they come back to it."
    )
    yield ""
    rows = []
    for pack, one in packs.items():
        for kind, cases in one["abandonments"].items():
            given = {key: of for key, of in cases["classes"].items() if key == "given_up"}
            rows += [[row[0], kind, *row[2:]] for row in _of_classes(pack, given)]
    yield from table(["pack", "given up", "true", "found", "precision", "recall"], rows)
    yield ""


def _confusion(key: str, packs: Mapping[str, Any], order: tuple[str, ...]) -> Iterator[str]:
    for pack, one in packs.items():
        confusion = one[key]["confusion"]
        if not confusion:
            continue  # nothing of it in this pack
        said = {answer for row in confusion.values() for answer in row}
        truths = [kind for kind in order if kind in confusion] or sorted(confusion)
        answers = [kind for kind in order if kind in said] or sorted(said)
        yield f"`{pack}`, cases by what is true and what was said:"
        yield ""
        yield from table(
            ["true", *(f"said {name(answer)}" for answer in answers)],
            [
                [name(truth), *(count(confusion[truth].get(answer, 0)) for answer in answers)]
                for truth in truths
            ],
        )
        yield ""


def _probabilities(what: str, key: str, packs: Mapping[str, Any]) -> Iterator[str]:
    yield f"The probability that {what}:" if key == "human_needed" else f"The probability of {what}:"
    yield ""
    rows = []
    for pack, one in packs.items():
        told = one[key]
        tenths = told["reliability"]
        inside = sum(_inside(tenth) for tenth in tenths)
        rows.append(
            [
                f"`{pack}`",
                count(told["rows"]),
                count(told["positives"]),
                figure(told["auc"]),
                figure(told["brier"], 4),
                plain(told["brier_constant"], 4),
                f"{inside} of {len(tenths)}",
            ]
        )
    head = ["pack", "rows", "true", "AUC", "Brier", "of the base rate", "tenths inside their interval"]
    yield from table(head, rows)
    yield ""


def _inside(tenth: dict[str, Any]) -> bool:
    share = tenth["share"]
    return share["low"] is not None and bool(share["low"] <= tenth["score"] <= share["high"])


def fairness(figures: Figures) -> Iterator[str]:
    """Groups: those that mean nothing, and those that users would name."""
    yield "## Fairness"
    yield ""
    if found := figures.get("fairness"):
        yield (
            f"Where groups mean nothing: {listed([f'`{one}`' for one in found['fields']])} of "
            "simulated people "
            f"are but names, so every gap that is called a finding is a false one. {len(found['runs'])} "
            f"back-tests (`{found['target']}`, built-in policy, {count(found['customers'])} customers in "
            f"{found['hours']} hours each) made {count(found['comparisons'])} comparisons and "
            f"{_findings(found['findings'])}, in {found['runs_with_findings']} of the back-tests "
            f"({percent(found['runs_share'])}); by chance at most {100 * found['level']:.0f} % of "
            "back-tests would have one, as p-values are corrected for how many are looked at in each (Holm)."
        )
        yield ""
    for key, what in _GROUPED:
        if key in figures:
            yield from _groups(figures[key]["alerts"]["by"], what, figures[key]["target"])


def _findings(found: int) -> str:
    return f"{count(found)} finding" + ("" if found == 1 else "s")


def _groups(found: Figures, what: str, target: str) -> Iterator[str]:
    yield (
        f"`{target}` of the {what}, alerts at {found['per_1000_customers_a_day']} for each 1,000 "
        "customers a day, "
        f"groups with {found['least_cases']} cases or more:"
    )
    yield ""
    rows = [
        [
            f"{one['field']} `{one['value']}`",
            count(one["n"]),
            percent(one["base_rate"]),
            percent(one["alert_rate"]),
            percent(one["precision"]),
            percent(one["recall"]),
            percent(one["false_alarm_rate"]),
            figure(one["mean_lead_s"], 0),
            figure(one["mean_wait_s"], 0),
        ]
        for one in found["groups"]
    ]
    head = ["group", "rows", "bad", "alerted", "precision", "recall", "false alarms", "lead (s)", "wait (s)"]
    yield from table(head, rows)
    yield ""
    if not found["comparisons"]:
        yield "Too few cases on one side or the other for any comparison."
    elif not found["findings"]:
        yield f"None of {found['comparisons']} comparisons is a gap by more than chance."
    for gap in found["findings"]:
        write = percent if gap["measure"] in _SHARES else lambda one: figure(one, 0)
        values = [write({"value": gap[side], "low": None, "high": None}) for side in ("group", "rest")]
        yield (
            f"* A gap: {gap['field']} `{gap['value']}`, {name(gap['measure'])} {values[0]}, the others "
            f"{values[1]} (p {gap['p']:.2g} after correction)"
        )
    yield ""
