"""``rehuman calibrate --target channels``: the section ``[channel_fit]`` of a policy, and a report of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from detectors.durations import DAY, HOUR
from detectors.policy import Policy
from streams.calibrate.clusters import Mean
from streams.calibrate.common import base_policy, checked, joined, read, save
from streams.calibrate.request import Request
from streams.channels.fit import REST, STEP, WEIGHT, Fit, fit, fitting
from streams.channels.history import Settled, decided, gather
from streams.channels.pictures import channels
from streams.errors import OperationError
from streams.identity import Pseudonyms
from streams.sources.api import rfc3339

__all__ = ["run", "section", "short"]

# Contacts below which a channel says nothing: with fewer, an interval is wider than 30 points.
MINIMUM: Final = 30


def run(request: Request, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Fit, write the policy, and give the report. Raises SettingError, OperationError, PolicyError."""
    checked(request, "channels")
    policy = base_policy(request.base)
    events, first, until = read(request)
    visits = gather(events, policy, Pseudonyms.of(request.settings), progress)
    window = int(policy.document.repeats.window)
    rows = [one for one in decided(visits, window, until) if one.start >= first]
    table = policy.document.channels
    split = request.holdout
    fitted = rows if split is None else [one for one in decided(visits, window, split) if one.start >= first]
    if not fitted:
        hours = window // HOUR
        raise OperationError(f"no contact has {hours} hours of history behind it: a longer one is needed")
    later = [] if split is None else [one for one in rows if one.start >= split]
    found = fit(fitted, table, MINIMUM)
    report = {
        "target": "channels",
        "policy_version": policy.version,
        "from": rfc3339(first),
        "until": rfc3339(until),
        "window_days": window / DAY,
        "minimum": MINIMUM,
        "prior": {"weighs_as_contacts": WEIGHT, "log_odds_a_rank": STEP},
        "contacts": len(visits),
        "undecided": len(visits) - len(decided(visits, window, until)),
        "fitted": len(fitted),
        "later": len(later),
        "intents": _told(found, table, later),
    }
    report["words"] = words(found, policy)
    save(request, joined(policy, "channel_fit", section(found, policy)), report)
    if request.pictures is not None:
        channels(request.pictures / "channels.svg", found, MINIMUM)
    return report


def short(report: dict[str, Any]) -> list[str]:
    """What is printed."""
    return [
        f"{report['contacts']} contacts of identified customers, {report['undecided']} of them not over yet; "
        f"{report['fitted']} fitted",
        *report["words"],
    ]


def section(found: Mapping[str, Mapping[str, Fit]], policy: Policy) -> str:
    """The section's text: what may be recommended. Channels with too few contacts stay out of it."""
    table = policy.document.channels
    days = int(policy.document.repeats.window) / DAY
    lines = [
        "[channel_fit]",
        "# How often contacts settled the matter without a further one; effort: points that a contact added.",
        f'window = "{days:g}d"',
        f"minimum = {MINIMUM}",
    ]
    for intent, fits in found.items():
        listed = table.get(intent) or table[REST]
        named = {name: one for name, one in fits.items() if one.contacts >= MINIMUM and name in listed}
        if not named:
            continue
        lines.append(f"[channel_fit.intents.{_quoted(intent)}]")
        for channel, one in sorted(named.items(), key=lambda pair: -pair[1].settled):
            effort = "" if one.gained is None else _effort(one.gained)
            lines.append(
                f"{channel} = {{ contacts = {one.contacts}, settled = {one.settled:.4f}, "
                f"low = {one.low:.4f}, high = {one.high:.4f}{effort} }}"
            )
    return "\n".join(lines) + "\n"


def words(found: Mapping[str, Mapping[str, Fit]], policy: Policy) -> list[str]:
    """What was learned, one line an intent, and what is not known."""
    table = policy.document.channels
    lines = []
    for intent, fits in found.items():
        name = "any other matter" if intent == REST else intent
        ranked = sorted(fits.items(), key=lambda pair: -pair[1].settled)
        said = ", ".join(f"{channel} {_share(one)}" for channel, one in ranked if one.contacts >= MINIMUM)
        first = fitting(table, fits, intent, MINIMUM)
        if first:
            end = f"history recommends {first}"
        elif said:
            end = "no channel of the table is ahead by more than chance: the table decides"
        else:
            end = f"fewer than {MINIMUM} contacts on each channel: the table decides"
        listed = table.get(intent) or table[REST]
        others = [channel for channel, one in ranked if channel not in listed and one.contacts >= MINIMUM]
        beside = f" (not in the table, so never recommended: {', '.join(others)})" if others else ""
        lines.append(f"{name}: {said + '; ' if said else ''}{end}{beside}")
    lines.append(
        "people choose channels for a reason: what is hard goes to people, so a share is no proof of a cause"
    )
    return lines


def _told(
    found: Mapping[str, Mapping[str, Fit]], table: Mapping[str, list[str]], later: list[Settled]
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for intent, fits in found.items():
        rows = [one for one in later if (one.intent if one.intent in found else REST) == intent]
        told[intent] = {
            "recommended": fitting(table, fits, intent, MINIMUM) or None,
            "channels": {
                channel: msgspec.to_builtins(one) | _afterwards([r for r in rows if r.channel == channel])
                for channel, one in fits.items()
            },
        }
    return told


def _afterwards(rows: list[Settled]) -> dict[str, Any]:
    """What came of contacts that were kept apart from the fit."""
    if not rows:
        return {}
    return {"later_contacts": len(rows), "later_settled": sum(one.settled for one in rows) / len(rows)}


def _share(one: Fit) -> str:
    return f"{one.settled:.0%} ({one.low:.0%} to {one.high:.0%}, {one.contacts} contacts)"


def _effort(gained: Mean) -> str:
    value, low, high = gained
    return f", effort = {value:.2f}, effort_low = {low:.2f}, effort_high = {high:.2f}"


def _quoted(name: str) -> str:
    """A key as TOML has it: JSON's strings are its basic strings."""
    return msgspec.json.encode(name).decode()
