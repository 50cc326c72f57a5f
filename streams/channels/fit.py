"""How often contacts on a channel settle an intent: counts, shrunk towards the policy's own table.

Each intent and channel has a Beta prior. It is centred on how often contacts about this intent are settled on
any channel, moved by the channel's rank in the policy's table: the table's order is taken as a belief worth
``STEP`` of log-odds a rank, and as much as ``WEIGHT`` contacts. Contacts of one customer are no independent
witnesses, so counts are divided by the design effect before they are weighed.

>>> [round(prior(0.6, ["phone", "chat"], channel), 3) for channel in ("phone", "chat", "store")]
[0.624, 0.576, 0.526]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any, Final

import msgspec

from detectors.channel_fit import Settles, best
from streams.calibrate.clusters import Mean, design, mean
from streams.channels.history import Settled

__all__ = ["REST", "Fit", "fit", "fitting", "prior"]

# The rest: contacts whose intent is not known, or had too few to be looked at by itself.
REST: Final = "*"
STEP: Final = 0.2
WEIGHT: Final = 20.0
# A policy's text has an end, and other sections need their place: the intents with the most contacts.
MOST_INTENTS: Final = 24


class Fit(msgspec.Struct, frozen=True):
    """One intent on one channel."""

    contacts: int
    customers: int
    raw: float  # share of the contacts that settled it
    design: float
    prior: float
    settled: float
    low: float
    high: float
    gained: Mean | None  # points of effort that a contact added
    effort: Mean | None  # at its end


def fit(
    found: Sequence[Settled], table: Mapping[str, Sequence[str]], minimum: int
) -> dict[str, dict[str, Fit]]:
    """By intent, those with the most contacts first, and channel; ``*`` for the rest."""
    sizes: dict[tuple[str, str], int] = {}
    for one in found:
        sizes[one.intent, one.channel] = sizes.get((one.intent, one.channel), 0) + 1
    # By itself an intent is worth naming where at least one channel has enough.
    enough = {intent for (intent, _), size in sizes.items() if intent and size >= minimum}
    total: dict[str, int] = {}
    for (intent, _), size in sizes.items():
        total[intent] = total.get(intent, 0) + size
    named = sorted(enough, key=lambda intent: (-total[intent], intent))[:MOST_INTENTS]
    groups: dict[str, list[Settled]] = {intent: [] for intent in [*named, REST]}
    for one in found:
        groups[one.intent if one.intent in groups else REST].append(one)
    overall = _share(found, 0.5)
    return {
        intent: _intent(rows, _table(table, intent), _share(rows, overall))
        for intent, rows in groups.items()
        if rows
    }


def fitting(table: Mapping[str, Sequence[str]], fits: Mapping[str, Fit], intent: str, minimum: int) -> str:
    """The channel of the table that history puts first by more than chance; empty where none."""
    known = [
        Settles(channel, one.settled, one.low, one.high)
        for channel, one in fits.items()
        if one.contacts >= minimum
    ]
    known.sort(key=lambda one: (-one.share, one.channel))
    return best(known, list(_table(table, intent)))


def prior(share: float, ranked: Sequence[str], channel: str) -> float:
    """The prior's mean for a channel, given the intent's share and the table's order."""
    rank = ranked.index(channel) if channel in ranked else len(ranked)
    logit = log(share / (1 - share)) + STEP * ((len(ranked) - 1) / 2 - rank)
    return 1 / (1 + exp(-logit))


def _table(table: Mapping[str, Sequence[str]], intent: str) -> Sequence[str]:
    return table.get(intent) or table[REST]


def _share(rows: Sequence[Settled], towards: float) -> float:
    """Of all channels together, drawn a little to what is known of more."""
    return (sum(one.settled for one in rows) + WEIGHT * towards) / (len(rows) + WEIGHT)


def _intent(rows: Sequence[Settled], ranked: Sequence[str], share: float) -> dict[str, Fit]:
    channels: dict[str, list[Settled]] = {}
    for one in rows:
        channels.setdefault(one.channel, []).append(one)
    return {
        channel: _channel(mine, prior(share, ranked, channel)) for channel, mine in sorted(channels.items())
    }


def _channel(rows: Sequence[Settled], centre: float) -> Fit:
    from scipy.stats import beta

    customers = [one.customer for one in rows]
    flags = [one.settled for one in rows]
    effect = design(flags, customers)
    yes, count = sum(flags) / effect, len(rows) / effect
    a, b = WEIGHT * centre + yes, WEIGHT * (1 - centre) + count - yes
    low, high = (float(beta.ppf(q, a, b)) for q in (0.025, 0.975))
    gained = [(one.gained, one.customer) for one in rows if one.gained is not None]
    effort = [(one.effort, one.customer) for one in rows if one.effort is not None]
    return Fit(
        len(rows),
        len(set(customers)),
        sum(flags) / len(rows),
        effect,
        centre,
        a / (a + b),
        low,
        high,
        _mean(gained),
        _mean(effort),
    )


def _mean(pairs: Sequence[tuple[Any, str]]) -> Mean | None:
    """Of two customers at least: one has no interval."""
    if len({customer for _, customer in pairs}) < 2:
        return None
    return mean([value for value, _ in pairs], [customer for _, customer in pairs])
