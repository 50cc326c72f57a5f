"""What a record of the log had to become: decoded as the worker does it, and not folded."""

from __future__ import annotations

from typing import Literal, NamedTuple

from detectors.decode import Activation, Decoder
from detectors.events import Rejected, Tick
from detectors.ids import fact_id
from detectors.policy import Policy, PolicyError, parse
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Record
from streams.reconcile.report import Kind

__all__ = ["Judge", "Wanted"]


class Wanted(NamedTuple):
    """A record that must have a fact: its kind and the fact's id; the rest helps ClickHouse to find it."""

    offset: int
    kind: Kind
    fact: str
    tenant: str = ""
    journey: str = ""
    type: str = ""
    time: int = 0
    #: The partition of its customer.
    owner: int = -1


class Judge:
    """Knows an installation's policy, keys and number of partitions."""

    def __init__(self, topic: str, partitions: int, policy: Policy, names: Pseudonyms) -> None:
        self._topic = topic
        self._partitions = partitions
        self._decoder = Decoder(names.pseudonym, policy.floor, policy.document.time.ahead)

    def wanted(self, partition: int, record: Record) -> Wanted | Literal["tick", "policy"]:
        """What must be stored for it, if anything must."""
        found = self._decoder.decode(record.value, record.stamp)
        if isinstance(found, Tick):
            return "tick"
        if isinstance(found, Activation):
            return "policy" if _parses(found.text) else self._letter(partition, record)
        if isinstance(found, Rejected):
            return self._letter(partition, record)
        event, subject = found, self._decoder.subject
        fact = fact_id(event.tenant, "event", event.source, event.id)
        owner = partition_of(subject.encode("utf-8", "surrogatepass"), self._partitions)
        kind: Kind = "event" if owner == partition else "misrouted"
        return Wanted(record.offset, kind, fact, event.tenant, event.journey, event.type, event.time, owner)

    def _letter(self, partition: int, record: Record) -> Wanted:
        fact = fact_id("dead-letter", self._topic, str(partition), str(record.offset))
        return Wanted(record.offset, "dead_letter", fact)


def _parses(text: str) -> bool:
    try:
        parse(text)
    except PolicyError:
        return False
    return True
