"""The workload of every benchmark: raw records as they are on ``<prefix>.events``, the same in every run.

100,000 customers; who visits next is drawn from Zipf's law with exponent 1.1, so the busiest has about one
event in seven (as a test account or a shared device has), and of a million events 17,000 customers have one.
Visits begin at random (Poisson) at the rate of a million events a day and last as long as such a visit lasts,
so many are under way at once and their events are interleaved in order of time.

Channels, in percent of the events: web 55.2, app 36.8, chat 2.6, phone 2.3, bot 1.5, messaging 0.8,
ticket 0.3, email 0.25, store 0.2, survey 0.05, other (complaints) 0.02, social 0.01. Types: page_view 26,
button_click 18, steps entered, completed and failed 16, sessions 12, forms (start, change, submit, error,
abandoned) 9.6, checkout_step 4.7, search 2.9, talks (chat and messaging) 3.4, calls and the voice menu 2.3,
bot 1.4, friction (script errors, dead, error and rage clicks, quick backs) 1.4, purchase 0.5, tickets 0.3,
email 0.26, store 0.2, help and call-backs 0.2, explicit abandonment 0.1, surveys 0.05, complaints and social
mentions 0.03: every type of the vocabulary. A record has 341 bytes on average. ``python -m
benchmarks.workload`` counts all of this.

Why it is fair: the shares are those of a company that has a site, an app and people who answer, where most
events are pages and clicks and most friction is small; stories are written after what the systems of each
channel report (``visits``, ``contacts``), before the fold was measured on them. Nothing is left out that
costs: fields that the contract does not know (a page's address, on three page views in ten) are decoded a
second time, cases come back, a talk changes its channel, and time-outs fire in the ticks between. Whoever
thinks that visits spare the state too much (a customer's events lie together, so that a checkpoint writes few
keys) can draw the customer anew for each event: ``scattered``. Nothing is added that does not come in life:
no event is late, twice, or malformed, which other tests are about.

>>> first, *rest = records(3)
>>> first.key is None, b"io.rehuman.tick" in first.value, len(rest)
(True, True, 3)
>>> list(records(100)) == list(records(100))
True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import accumulate, count
from random import Random
from typing import NamedTuple

import msgspec

from benchmarks.contacts import bot, chat, email, phone, store, ticket
from benchmarks.visits import Visit, account, browse, form, order
from streams.kafka.partitioner import partition_of
from streams.sources.api import rfc3339
from streams.ticks import tick_record

__all__ = ["CUSTOMERS", "STAMP", "STORIES", "Raw", "partitioned", "records"]

CUSTOMERS = 100_000
EXPONENT = 1.1
SEED = 20_260_101
# 2025-10-06, a Monday, 06:00 UTC.
START = 1_759_730_400_000
# A broker's time stamp that is after every event of any run, for whoever has no broker.
STAMP = START + 60 * 86_400_000
EVENTS_A_DAY = 1_000_000
# Of event time: a live worker sends one a second, at a thousandth of these rates.
TICK_MS = 60_000
# Mean length of a visit in events, as counted; it only sets how close together visits begin.
_EVENTS_A_VISIT = 10.3

# Each with its share of all visits, in percent; a talk is longer than a look.
STORIES: tuple[tuple[Callable[[Visit], None], float], ...] = (
    (browse, 46.0),
    (order, 15.0),
    (account, 18.0),
    (form, 9.0),
    (bot, 3.0),
    (chat, 2.5),
    (phone, 3.5),
    (email, 1.0),
    (ticket, 1.0),
    (store, 1.0),
)

_encode = msgspec.json.Encoder().encode


class Raw(NamedTuple):
    """One record: ``key`` None for a tick, which goes to every partition; ``time`` in ms."""

    key: bytes | None
    value: bytes
    time: int


def records(
    events: int, *, seed: int = SEED, customers: int = CUSTOMERS, scattered: bool = False
) -> Iterator[Raw]:
    """``events`` events in order of time, with the ticks between them, the first of which comes first.

    ``scattered`` draws the customer anew for each event, so that visits do not hang together.
    """
    rng = Random(seed)
    weights = list(accumulate(1 / rank**EXPONENT for rank in range(1, customers + 1)))
    everybody = range(customers)
    # A customer's number says nothing of the rank.
    subjects = [f"C{rng.getrandbits(28):09d}{number:06d}" for number in everybody]
    stories = [story for story, _ in STORIES]
    shares = list(accumulate(share for _, share in STORIES))
    gap_ms = 86_400_000 / EVENTS_A_DAY * _EVENTS_A_VISIT
    # Said and not yet told: (time, order, subject, source, type, data).
    waiting: list[tuple[int, int, str, str, str, dict[str, object]]] = []
    order = count()
    start, tick, told = float(START), START, 0
    for number in count():
        start += rng.expovariate(1.0) * gap_ms
        while waiting and waiting[0][0] <= start:
            time, _, subject, source, kind, data = heappop(waiting)
            while tick <= time:
                yield Raw(None, tick_record(tick), tick)
                tick += TICK_MS
            yield Raw(subject.encode(), _event(rng, subject, time, source, kind, data), time)
            told += 1
            if told == events:
                return
        customer = rng.choices(everybody, cum_weights=weights)[0]
        visit = Visit(rng, number, customer, int(start))
        rng.choices(stories, cum_weights=shares)[0](visit)
        for time, source, kind, data in visit.said:
            if scattered:
                customer = rng.choices(everybody, cum_weights=weights)[0]
            heappush(waiting, (time, next(order), subjects[customer], source, kind, data))


def _event(rng: Random, subject: str, time: int, source: str, kind: str, data: dict[str, object]) -> bytes:
    # As long as the UUIDs that most trackers send.
    drawn = f"{rng.getrandbits(128):032x}"
    return _encode(
        {
            "specversion": "1.0",
            "id": f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:]}",
            "source": source,
            "type": kind,
            "time": rfc3339(time),
            "subject": subject,
            "data": data,
        }
    )


def partitioned(raws: Iterable[Raw], partitions: int) -> Iterator[tuple[int, Raw]]:
    """Each record with its partition, by Kafka's rule; a tick comes once for each."""
    for raw in raws:
        if raw.key is None:
            for partition in range(partitions):
                yield partition, raw
        else:
            yield partition_of(raw.key, partitions), raw


def main() -> None:
    """Print the mix of a run: how the figures of the docstring were counted."""
    kinds: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    subjects: Counter[str] = Counter()
    size = 0
    for raw in records(500_000):
        if raw.key is not None:
            event = msgspec.json.decode(raw.value)
            kinds[event["type"]] += 1
            channels[event["data"]["channel"]] += 1
            subjects[event["subject"]] += 1
            size += len(raw.value)
    total = kinds.total()
    for found in (channels, kinds):
        print("; ".join(f"{name} {100 * share / total:.2f}" for name, share in found.most_common()))
    print(f"{size / total:.0f} bytes an event, {len(subjects)} customers", subjects.most_common(3))
    print(f"{sum(1 for n in subjects.values() if n > 100)} customers with more than 100 events")


if __name__ == "__main__":
    main()
