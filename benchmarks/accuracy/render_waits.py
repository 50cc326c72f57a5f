"""The card's part on giving up while waiting, and on surveys and channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy.common import Figures, listed
from benchmarks.accuracy.words import count, figure, percent, plain, span, table

__all__ = ["answers", "waits"]


def _ended(found: dict[str, Any], key: str = "observed") -> Figures:
    return {"value": found[key], "low": found["low"], "high": found["high"]}


def waits(found: Figures) -> Iterator[str]:
    """The hazard of the bank's queues."""
    fit, held, seen = found["fitted_on"], found["held_back"], found["foresight"]
    loss = held["log_loss"]
    yield "## Giving up while waiting"
    yield ""
    yield (
        f"Target `{found['target']}`: the probability that somebody who still waits leaves within the next "
        f"minute. Fitted with censoring to {count(fit['waits'])} waits of the bank's first three weeks "
        f"({count(fit['left'])} ended in a hang-up); looked at every ten seconds of {count(held['waits'])} "
        f"waits of its last week ({count(held['left'])} hang-ups, {count(held['looks'])} looks). The bank "
        "announced no waits, so what an announcement does was not measured here."
    )
    yield ""
    rows = [
        [
            str(one["group"]),
            count(one["looks"]),
            plain(one["predicted"]),
            figure(_ended(one)),
            "yes" if one["within_3_points"] else "**no**",
            "yes" if one["within_interval"] else "**no**",
        ]
        for one in held["reliability"]
    ]
    yield from table(["tenth", "looks", "foretold", "came", "within 3 points", "inside"], rows)
    yield ""
    yield "![The risk of the next minute, by tenths](images/accuracy-waits.svg)"
    yield ""
    yield (
        f"{held['tenths_right']} of {len(held['reliability'])} tenths are within 3 points or inside the "
        f"interval; the furthest is {100 * held['furthest']:.1f} points off. The log-loss of a ten-second "
        f"interval is {plain(loss['fitted'], 4)}, a constant rate's {plain(loss['constant'], 4)}: less by "
        f"{plain(-loss['difference'], 4)} ({plain(-loss['high'], 4)} to {plain(-loss['low'], 4)}; "
        f"{count(loss['intervals'])} intervals, drawn by calls)."
    )
    yield ""
    rows = [
        [
            f"`{label}`" if label else "none",
            count(one["waits"]),
            plain(one["predicted"]),
            figure(_ended(one)),
            plain(one["log_loss"], 4),
            plain(one["log_loss_constant"], 4),
        ]
        for label, one in held["by_label"].items()
    ]
    yield from table(["queue", "waits", "foretold", "came", "log-loss", "of a constant rate"], rows)
    yield ""
    for key, one in found["with_and_without_protected"].items():
        yield (
            f"* {key.replace('_', ' ')}: log-loss {plain(one['log_loss']['fitted'], 4)}, "
            f"{one['tenths_right']} tenths right"
        )
    yield ""
    lead = seen["lead_s"]
    early = f"; half of these {span(lead['median'])} or more before it" if lead else ""
    yield (
        f"Foresight at the fit's own line ({plain(found['line'])}): of {count(seen['hang_ups'])} hang-ups in "
        f"{count(seen['waits'])} waits {count(seen['hang_ups_named_before'])} were named before they "
        "happened "
        f"({percent(seen['named_share'])}){early}, {count(seen['named_that_long_before'])} at least the "
        f"{seen['lateness_s']:.0f} s before it that a watermark may lag behind; "
        f"{count(seen['named_in_vain'])} callers were named who did not leave, so "
        f"{percent(seen['right_share'])} of those named left."
    )
    yield ""


def answers(found: Figures) -> Iterator[str]:
    """Surveys and channels."""
    yield "## Surveys and channels, on simulated people"
    yield ""
    yield (
        f"Pack `{found['pack']}`, seed {found['seed']}, {count(found['customers'])} customers over "
        f"{found['days']} days: fitted to the first {found['split_day']}, looked at in the rest."
    )
    yield ""
    for metric, one in found["surveys"].items():
        yield from _survey(metric, one)
    yield from _channels(found["channels"])
    yield ""


def _survey(metric: str, one: Figures) -> Iterator[str]:
    held = one["held_back"]
    if not held.get("n"):
        yield f"`{metric}`: {count(one['answers'])} answers, none of them later."
        yield ""
        return
    errors = held["root_mean_square_error"]
    prior = _three(held["squared_error_line_less_prior"])
    mean = _three(held["squared_error_line_less_mean"])
    yield (
        f"What `{metric}` will be, from effort just before the answer: {count(one['answers'])} answers "
        "fitted, "
        f"{count(held['n'])} later ones. Root mean square error of the line {plain(errors['line'])}, of the "
        f"straight line of the prior {plain(errors['prior'])}, of always the mean "
        f"{plain(errors['mean'])} (on a "
        f"scale of 0 to 1); squared error less than the prior's by {figure(prior, 4)} and than the mean's by "
        f"{figure(mean, 4)}. Declared and inferred part by more than chance at {len(one['diverging'])} of "
        f"{one['steps']} steps."
    )
    yield ""
    rows = [
        [
            f"{part['effort'][0]:.1f} to {part['effort'][1]:.1f}",
            count(part["n"]),
            plain(part["expected"]),
            figure(_ended(part, "declared")),
            "yes" if part["inside"] else "**no**",
        ]
        for part in held["reliability"]
    ]
    yield from table(["effort", "answers", "expected", "declared", "inside"], rows)
    yield ""


def _three(found: list[float]) -> Figures:
    """Turned round: by how much less."""
    value, low, high = found
    return {"value": -value, "low": -high, "high": -low}


def _channels(found: Figures) -> Iterator[str]:
    rows = found["rows"]
    agree = sum(row["agrees"] for row in rows)
    yield (
        f"How often a contact settles the matter without another within {found['window_days']:.0f} days: "
        f"{count(found['fitted'])} contacts fitted, {count(found['later'])} later ones whose window is "
        "over. Of "
        f"{len(rows)} pairs of intent and channel with {found['minimum']} contacts or more on both sides, "
        f"{agree} have intervals that meet."
    )
    yield ""
    yield from table(
        ["intent", "channel", "contacts", "foretold", "later", "came"],
        [
            [
                f"`{row['intent']}`",
                row["channel"],
                count(row["contacts"]),
                percent(row["foretold"]),
                count(row["later"]),
                percent(row["came"]),
            ]
            for row in rows
        ],
    )
    yield ""
    told = [f"`{channel}` for `{intent}`" for intent, channel in found["recommended"].items()]
    yield (
        f"By history it recommends {listed(told) if told else 'no channel'}; it says that it does not "
        "know for "
        f"{listed([f'`{one}`' for one in found['not_known']]) or 'none'}, and the policy's table decides. "
        "People choose channels for a reason, so a share is no proof of a cause."
    )
