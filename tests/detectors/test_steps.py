"""A tick that sets off very many timers is taken in steps."""

from __future__ import annotations

from detectors.examples import MONDAY
from detectors.moment import Findings
from detectors.partition import AT_ONCE
from streams.sources.api import cloud_event
from streams.ticks import tick_record
from tests.detectors.test_partition import FAR, facts, messages, new_log
from tests.detectors.traffic import MINUTE


def test_a_tick_in_steps_finds_what_it_finds_in_one_go() -> None:
    """A source that was silent is heard again: more customers than one step takes have a time-out due."""
    customers = 2 * AT_ONCE + 10
    items = [item("form_start", f"c{n}", 0, session_id=f"s{n}", step="details") for n in range(customers)]
    items += [tick(at, "web") for at in (11 * MINUTE, 60 * MINUTE)] + [tick(61 * MINUTE)]
    whole, paused = new_log(), new_log()
    paused.pauses = True
    found, out = Findings(), Findings()
    pauses = []
    for offset, raw in enumerate(items):
        assert whole.record(raw, FAR, offset, found) == paused.record(raw, FAR, offset, out)
        count = 0
        while paused.go_on() is None:
            count += 1
        pauses.append(count)
    # Behind the events: nobody waits yet; all of them do; those that waited, and then their timers.
    assert pauses[customers:] == [0, 2, 4]
    assert len(facts(out)) > 2 * customers
    assert facts(out) == facts(found)
    assert messages(out) == messages(found)
    assert paused.fold.changed() == whole.fold.changed()


def item(kind: str, subject: str, at: int, **data: object) -> bytes:
    return cloud_event(kind, MONDAY + at, "web", f"{kind}-{subject}-{at}", subject, data).value


def tick(at: int, *silent: str) -> bytes:
    return tick_record(MONDAY + at, silent=silent)
