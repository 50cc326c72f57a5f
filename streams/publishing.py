"""``rehuman policy publish``: a further version comes into force at one moment, in every partition.

The number is taken first, with the moment, in the policies' topic; then every partition of the events' log is
told; then the version is marked complete. Whatever breaks in between, publishing the same text again goes on
where it stopped, with the moment of the first time: an activation that is told twice is one.

>>> def known(version, since, complete=True):
...     return Published(version, f"text {version}", since, complete, 0)
>>> found = {1: known(1, 0), 2: known(2, 5_000), 3: known(3, 90_000)}
>>> in_force(found, 60_000).version, follower(found, 5_000).version
(2, 3)
>>> states(found, 60_000)
{1: 'replaced', 2: 'in force', 3: 'later'}
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from detectors.policy import Policy
from streams.clock import wall_ms
from streams.errors import OperationError, SettingError
from streams.policies import Published, activate, history, newest, published, remember
from streams.settings import Settings
from streams.sources.api import rfc3339

if TYPE_CHECKING:
    from streams.kafka.producer import Producer

__all__ = ["Outcome", "Plan", "decide", "follower", "in_force", "listed", "publish", "states"]


class Plan(NamedTuple):
    """What is to be done: from when the version holds, and whether partitions have to be told."""

    since: int
    what: Literal["published", "completed", "unchanged"]


class Outcome(NamedTuple):
    """What was done. ``until``: where a version that is scheduled already takes over, its number and time."""

    version: int
    since: int
    what: str
    until: tuple[int, int] | None
    #: Its moment had passed: what was scored before stays as it is.
    passed: bool

    def words(self) -> list[str]:
        """For people."""
        done = {"published": "is published", "completed": "is published in full now"}
        first = f"version {self.version} {done.get(self.what, 'was published already')}"
        lines = [f"{first}; it holds for events from {rfc3339(self.since)} on"]
        if self.until:
            lines.append(f"until {rfc3339(self.until[1])}, when version {self.until[0]} takes over")
        if self.passed and self.what != "unchanged":
            lines.append("events that were scored before keep their version; those that come from now on and")
            lines.append("happened at or after that time, late ones too, are scored by this one")
        return lines


def publish(settings: Settings, policy: Policy, since: int | None) -> Outcome:
    """Bring ``policy`` into force for events at or after ``since`` (ms; None for now).

    Raises SettingError for a version or time that cannot be, OperationError where the brokers fail.
    """
    from streams.kafka.producer import Producer

    now = wall_ms()
    with Producer(settings.kafka_url) as producer:
        for topic in (settings.topics.policy, settings.topics.events):
            producer.partitions(topic)
        found = newest(history(settings))
        plan = decide(found, policy, since, now)
        if plan.what == "published":
            plan = plan._replace(since=_claim(settings, producer, policy, plan.since))
        if plan.what != "unchanged":
            activate(settings, producer, policy, plan.since)
            remember(settings, producer, Published(policy.version, policy.text, plan.since, True))
    later = follower(found, plan.since)
    until = (later.version, later.since) if later else None
    return Outcome(policy.version, plan.since, plan.what, until, plan.since < now and since is not None)


def _claim(settings: Settings, producer: Producer, policy: Policy, since: int) -> int:
    """Take the number: who said so first has it, and the moment is theirs. Raises OperationError.

    The topic has one partition, so that all who publish at once see one order.
    """
    remember(settings, producer, Published(policy.version, policy.text, since, False))
    told = [entry for entry in history(settings) if entry.version == policy.version]
    first = told[0]
    if first.text != policy.text:
        # What is said last holds: that is theirs again.
        remember(settings, producer, [entry for entry in told if entry.text == first.text][-1])
        raise OperationError(f"version {policy.version} was published by somebody else at this moment")
    return first.since


def decide(found: Mapping[int, Published], policy: Policy, since: int | None, now: int) -> Plan:
    """What publishing means, given the versions that are there. Raises SettingError, OperationError."""
    version = policy.version
    if not found:
        raise OperationError("no policy is in force yet: run 'rehuman topics create', which publishes one")
    following = max(found) + 1
    known = found.get(version)
    if known is not None:
        if known.text != policy.text:
            raise SettingError("version", f"{version}, published with another text", f"{following}, the next")
        if since not in (None, known.since):
            asked = rfc3339(since or 0)
            right = f"{rfc3339(known.since)}, since when version {version} is published to hold, or a new one"
            raise SettingError("--from", asked, right)
        return Plan(known.since, "unchanged" if known.complete else "completed")
    half = next((other for other in found.values() if not other.complete), None)
    if half is not None:
        raise OperationError(
            f"version {half.version} has not reached every partition: publish it again before another"
        )
    if version < following:
        raise SettingError("version", f"{version}", f"{following}, the next: {following - 1} is published")
    holds = in_force(found, now)
    begin = now if since is None else since
    if holds is not None and begin < holds.since:
        right = f"{rfc3339(holds.since)} or later: from then on version {holds.version} holds"
        raise SettingError("--from", rfc3339(begin), right)
    return Plan(begin, "published")


def in_force(found: Mapping[int, Published], now: int) -> Published | None:
    """The version that holds for an event at ``now``: the one that began last."""
    begun = [entry for entry in found.values() if entry.since <= now]
    return max(begun, key=_order, default=None)


def follower(found: Mapping[int, Published], since: int) -> Published | None:
    """The next version that begins after ``since``."""
    later = [entry for entry in found.values() if entry.since > since]
    # Of two that begin at one moment the one published last holds.
    return min(later, key=lambda entry: (entry.since, -entry.version), default=None)


def states(found: Mapping[int, Published], now: int) -> dict[int, str]:
    """By version: ``in force``, ``later``, ``replaced``, or ``incomplete`` where partitions were not told."""
    holds = in_force(found, now)

    def state(entry: Published) -> str:
        if not entry.complete:
            return "incomplete"
        if entry is holds:
            return "in force"
        return "later" if entry.since > now else "replaced"

    return {version: state(entry) for version, entry in found.items()}


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All versions, as ``rehuman policy list`` tells them. Raises OperationError where brokers fail."""
    from streams.kafka.admin import partitions_of

    # A consumer would wait long for a topic that is missing.
    partitions_of(settings.kafka_url, settings.topics.policy)
    found = published(settings)
    at = states(found, wall_ms())
    return [
        {
            "version": version,
            "state": at[version],
            "from": rfc3339(entry.since),
            "published": rfc3339(entry.stored),
            "description": _description(entry.text),
        }
        for version, entry in found.items()
    ]


def _order(entry: Published) -> tuple[int, int]:
    return entry.since, entry.version


def _description(text: str) -> str:
    """Its first line; also of a version that a newer program would not take any more."""
    try:
        said = tomllib.loads(text).get("description", "")
    except ValueError:
        return ""
    return str(said).partition("\n")[0]
