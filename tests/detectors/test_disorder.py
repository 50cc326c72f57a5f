"""Events in any order within the lateness end in what canonical order ends in; nothing in order waits."""

from __future__ import annotations

import random

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from detectors.examples import MONDAY
from tests.detectors.stories import (
    LATENESS,
    MINUTE,
    STORIES,
    Sent,
    alerts_of,
    arrivals,
    canonical,
    differences,
    final,
    final_candidates,
    folded,
    random_story,
    sent,
    tick,
)

DAY = 1_440 * MINUTE
# The last tick lets every timer fire.
END = MONDAY + 60 * DAY
begins = st.integers(0, 90) | st.integers(0, 7_200)
# Two at a time of each customer: more would be more in a minute than a ring holds.
told = st.dictionaries(
    st.sampled_from(["ann", "bob", "cyd"]),
    st.lists(st.tuples(begins, st.sampled_from(sorted(STORIES))), min_size=1, max_size=2),
    min_size=1,
)
# Found in a second, a failure would be made smaller for minutes.
quick = settings(max_examples=100, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def ticks(records: list[Sent], every: int) -> list[Sent]:
    last = max(one.time for one in records) + 2 * MINUTE
    return [*(tick(time) for time in range(MONDAY, last, every)), tick(last + LATENESS), tick(END)]


def same(records: list[Sent], seed: int, *, every: int, twice: float, restarts: float) -> None:
    """Fold ``records`` in both orders and compare all that is left."""
    rng = random.Random(seed)
    time = ticks(records, every)
    # Most are in time, as they are where somebody sends them; the others spread over all of the lateness.
    late = rng.random()

    def delay() -> int:
        return rng.randrange(LATENESS) if rng.random() < late else 0

    ordered, clean = folded(canonical([*records, *time]))
    mixed, log = folded(
        arrivals(records, time, delay, lambda: rng.random() < twice), restart=lambda: rng.random() < restarts
    )
    assert clean.fold.counts.reordered == clean.fold.counts.late == 0
    assert log.fold.counts.overflows == log.fold.counts.late == 0
    assert differences(final(mixed), final(ordered)) == []
    assert differences(final_candidates(mixed), final_candidates(ordered)) == []
    assert differences(alerts_of(mixed), alerts_of(ordered)) == []


@quick
@given(told, st.integers(0, 2**32), st.sampled_from([7_000, 31_000, 15 * MINUTE]), st.booleans())
@example({"ann": [(0, name) for name in sorted(STORIES)[:2]]}, 1, 7_000, False)
def test_stories_in_any_order(
    told: dict[str, list[tuple[int, str]]], seed: int, every: int, restarts: bool
) -> None:
    records = sent(
        (customer, begin, STORIES[name]) for customer, stories in told.items() for begin, name in stories
    )
    same(records, seed, every=every, twice=0.1, restarts=0.1 if restarts else 0.0)


@quick
@given(st.integers(0, 2**32), st.integers(2, 40), st.sampled_from([6.0, 20.0, 300.0]), st.booleans())
# An alert stands when only its update is taken back.
@example(2185614324, 20, 300.0, False)
@example(3237669917, 27, 300.0, True)
# Raised, completed, forgotten and raised again within one moment.
@example(423865, 26, 20.0, False)
# What is settled makes room first; two wait for a reply since one moment, on two channels.
@example(27796, 33, 20.0, False)
@example(125381, 40, 6.0, True)
@example(1122478462, 11, 6.0, True)
def test_anything_in_any_order(seed: int, events: int, spread: float, restarts: bool) -> None:
    """Also fields and orders that no system would send."""
    rng = random.Random(seed)
    events = min(events, round(4 * spread))
    records = sent((name, 0.0, random_story(rng, events, spread)) for name in ("ann", "bob"))
    same(records, seed, every=31_000, twice=0.1, restarts=0.1 if restarts else 0.0)
