"""The card's part on calling back and on reopening."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy.common import Figures
from benchmarks.accuracy.words import count, figure, name, percent, plain, span, table

__all__ = ["scores"]

_HEAD = {
    "calls": "Calling back within the hour",
    "cases": "Reopening",
}
_ROW = {"calls": "a call's end", "cases": "an incident's first `Resolved`"}
_PICTURE = {"calls": "accuracy-calls.svg", "cases": "accuracy-cases.svg"}


def scores(key: str, found: Figures) -> Iterator[str]:
    """One target."""
    fit, apart = found["fit"], found["alerts"]
    yield f"## {_HEAD[key]}"
    yield ""
    yield (
        f"Target `{found['target']}`, scored at {_ROW[key]}. Fitted to {count(fit['n'])} rows of "
        f"{count(fit['customers'])} customers, {count(fit['positives'])} of them bad; looked at "
        f"{count(found['n'])} later rows of {count(apart['customers'])} customers, "
        f"{percent(found['base_rate'])} of them bad. "
        f"The fit was offered {found['asked']} features of the fold's own state; {found['features']} are in "
        f"the policy, {count(found['section_bytes'])} bytes. Validation forward in time chose it "
        f"({found['chosen']}) and the black box ({found['black_box']})."
    )
    yield ""
    yield from _ranking(found)
    yield ""
    yield f"![Foretold beside what came, in tenths of the rows](images/{_PICTURE[key]})"
    yield ""
    yield from _reliability(found)
    yield ""
    yield "What the fit learned, the strongest first:"
    yield ""
    for sentence in found["learned"]:
        yield f"* {sentence}"
    yield ""
    yield from _alerts(found)
    yield ""


def _ranking(found: Figures) -> Iterator[str]:
    rows = []
    for score, one in found["scores"].items():
        ahead = found["ahead"].get(score)
        rows.append(
            [
                name(score),
                figure(one["auc"]),
                figure(one["average_precision"]),
                figure(one["brier"], 4),
                plain(one["log_loss"], 4),
                "" if ahead is None else figure(ahead),
            ]
        )
    for key, one in found["alerts"]["counts"].items():
        rows.append([name(key), figure(one["auc"]), "", "", "", figure(one["difference"])])
    for key, one in list(found["singles"].items())[:3]:
        rows.append([f"feature `{key}` alone", figure(one["auc"]), "", "", "", figure(one["difference"])])
    head = [
        "score of the same rows",
        "AUC",
        "average precision",
        "Brier",
        "log-loss",
        "additive ahead by (AUC)",
    ]
    yield from table(head, rows)
    yield ""
    flag = found["default"]["counts"][found["flag"]]
    yield (
        f"The built-in policy, which knows nothing of this company, ranks with AUC "
        f"{figure(found['default']['auc'])}; it is ahead of {name(found['flag']).removesuffix(' alone')} by "
        f"{figure(flag['difference'])}. Left out unless asked for: {_listed(found['protected_out'])}. "
        "The log-loss is of a mean over rows, and the single features are the best of all on these "
        "very rows, "
        "which favours them."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in names) or "nothing"


def _reliability(found: Figures) -> Iterator[str]:
    rows = [
        [count(one["n"]), plain(one["predicted"]), figure(one["observed"]), _fits(one)]
        for one in found["reliability"]
    ]
    yield from table(["rows", "foretold", "came", "inside"], rows)


def _fits(one: dict[str, Any]) -> str:
    observed = one["observed"]
    if observed["low"] is None:
        return "not known"
    return "yes" if observed["low"] <= one["predicted"] <= observed["high"] else "**no**"


def _alerts(found: Figures) -> Iterator[str]:
    yield (
        "What an advisor would have of it, by how many alerts there may be for each 1,000 customers "
        "of a day; "
        "lead time is from a right alert to the bad outcome (median; quartiles):"
    )
    yield ""
    rows = []
    for one in [*found["alerts"]["budgets"], found["alerts"]["policy_line"]]:
        line = one is found["alerts"]["policy_line"]
        budget = one["per_1000_customers_a_day"]
        rows.append(
            [
                f"the policy's line, {plain(one['threshold'])} ({plain(budget, 0)})"
                if line
                else f"{count(budget)}, from {plain(one['threshold'])}",
                count(one["alerts"]),
                percent(one["precision"]),
                percent(one["recall"]),
                _lead(one["lead_s"]),
            ]
        )
    yield from table(["alerts a day", "alerts", "precision", "recall", "lead time"], rows)


def _lead(lead: dict[str, float | None]) -> str:
    if lead["median"] is None:
        return "none"
    return f"{span(lead['median'])} ({span(lead['quarter'])}; {span(lead['three_quarters'])})"
