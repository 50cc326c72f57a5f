"""Channel fit: which channel settles a matter of this intent most often, where history says more than chance.

The policy's table says which channels an intent may have and in which order; ``[channel_fit]`` says how often
contacts on each of them settled it without further contact, with a 95 % interval. One is the best where its
interval lies above the one of every other channel that may be taken now. Channels with too few contacts say
nothing, neither for themselves nor against others.

>>> phone, chat = Settles("phone", 0.80, 0.76, 0.84), Settles("chat", 0.70, 0.65, 0.75)
>>> best([phone, chat], ["chat", "phone"]), best([phone], ["chat", "phone"])
('phone', '')
>>> best([phone, Settles("chat", 0.78, 0.72, 0.83)], ["chat", "phone"])
''
"""

from __future__ import annotations

from detectors.policy_errors import PolicyError, expected
from detectors.policy_model import ChannelFit, PolicyDocument
from detectors.vocabulary import CHANNELS

__all__ = ["Settles", "best", "check", "made"]


class Settles:
    """How often contacts on a channel settled what they were about."""

    def __init__(self, channel: str, share: float, low: float, high: float) -> None:
        self.channel = channel
        self.share = share
        self.low = low
        self.high = high


def made(rules: ChannelFit) -> dict[str, list[Settles]]:
    """By intent, the channels that had contacts enough, the best first."""
    found: dict[str, list[Settles]] = {}
    for intent, channels in rules.intents.items():
        enough = [
            Settles(channel, one.settled, one.low, one.high)
            for channel, one in channels.items()
            if one.contacts >= rules.minimum
        ]
        found[intent] = sorted(enough, key=_order)
    return found


def best(known: list[Settles], able: list[str]) -> str:
    """The channel of ``able`` that settles more often than each other one, empty where none surely does.

    ``known`` has the best first.
    """
    here = [one for one in known if one.channel in able]
    if len(here) < 2:
        return ""
    # Not the next best alone: one with fewer contacts may reach further up.
    for one in here[1:]:
        if one.high >= here[0].low:
            return ""
    return here[0].channel


def check(document: PolicyDocument) -> None:
    """What types alone cannot say. Raises PolicyError."""
    for intent, channels in document.channel_fit.intents.items():
        for channel, one in channels.items():
            key = f"channel_fit.intents.{intent}.{channel}"
            if channel not in CHANNELS:
                raise PolicyError(key, "an unknown channel", expected(channel, set(CHANNELS)))
            if not one.low <= one.settled <= one.high:
                raise PolicyError(key, f"{one.low}, {one.settled}, {one.high}", "low <= settled <= high")


def _order(one: Settles) -> tuple[float, str]:
    return -one.share, one.channel
