"""The breaker's laws: bounded, deterministic, never a source that does not fail, and it closes by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.breaker import MOST, Breaker, Rules

RULES = Rules(failures=4, share=0.5, span=10_000, rest=20_000, trials=3)
# Sources, and whether the record fails if it is tried; a step of time before each.
LOGS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.booleans(), st.sampled_from((0, 100, 1_500, 9_000, 25_000))),
    max_size=150,
)


def follow(log: list[tuple[str, bool, int]], rules: Rules, sweep_every: int = 0) -> list[str]:
    """What becomes of each record: parked, passed or failed, with a mark where that changed something."""
    breaker, now, told = Breaker(rules), 0, []
    for place, (source, fails, step) in enumerate(log):
        now += step
        if sweep_every and place % sweep_every == 0:
            breaker.sweep(now)
        if breaker.parks(source, now):
            told.append("parked")
        elif fails:
            told.append("failed!" if breaker.failed(source, now) else "failed")
        else:
            told.append("passed!" if breaker.passed(source, now) else "passed")
    return told


@given(LOGS, st.integers(1, 7))
def test_sweeping_changes_nothing(log: list[tuple[str, bool, int]], every: int) -> None:
    """When a lane comes to sweep depends on its chunks; what it parks must not."""
    assert [what.rstrip("!") for what in follow(log, RULES)] == [
        what.rstrip("!") for what in follow(log, RULES, every)
    ]


@given(LOGS)
def test_the_others_go_on(log: list[tuple[str, bool, int]]) -> None:
    """A source that never fails is never parked, and nothing done to one depends on the others' records."""
    told = follow(log, RULES)
    times = [sum(step for _, _, step in log[: place + 1]) for place in range(len(log))]
    for source in "abcd":
        mine = [place for place in range(len(log)) if log[place][0] == source]
        if not any(log[place][1] for place in mine):
            assert not any(told[place] == "parked" for place in mine)
        alone = []
        before = 0
        for place in mine:
            alone.append((source, log[place][1], times[place] - before))
            before = times[place]
        assert [told[place] for place in mine] == follow(alone, RULES)


@given(LOGS)
def test_fewer_failures_than_the_least_park_nobody(log: list[tuple[str, bool, int]]) -> None:
    assert "parked" not in follow(log, Rules(failures=len(log) + 1, share=0.01, span=10**9))


def test_a_share_below_the_line_parks_nobody() -> None:
    log = [("a", n % 5 == 0, 10) for n in range(1_000)]
    assert "parked" not in follow(log, RULES)
    assert "parked" in follow([("a", n % 5 > 1, 10) for n in range(50)], RULES)


def test_failures_before_the_span_are_forgotten() -> None:
    assert "parked" not in follow([("a", True, 4_000)] * 40, RULES)


def test_it_closes_by_itself() -> None:
    breaker = Breaker(RULES)
    for _ in range(4):
        breaker.failed("a", 0)
    assert breaker.parks("a", 19_999)
    assert breaker.parked == ["a"]
    assert not breaker.parks("a", 20_000)
    assert [breaker.passed("a", 20_000) for _ in range(3)] == [False, False, True]
    assert breaker.parked == []
    # One that is never heard of again is forgotten, too.
    for _ in range(4):
        breaker.failed("b", 30_000)
    assert breaker.sweep(70_000) == []
    assert breaker.sweep(70_001) == ["b"]
    assert not breaker.watching


def test_time_never_goes_back() -> None:
    breaker = Breaker(RULES)
    for stamp in (50_000, 1, 2, 3):
        breaker.failed("a", stamp)
    assert breaker.parks("a", 4)
    assert not breaker.parks("a", 70_000)


def test_memory_is_bounded_whatever_is_named() -> None:
    breaker = Breaker(RULES)
    for n in range(10 * MOST):
        breaker.failed(f"source {n}", n)
    assert len(breaker._watched) == MOST
    # A full house of parked ones lets nobody in, and nobody out before time.
    full = Breaker(RULES)
    for n in range(MOST):
        for _ in range(4):
            full.failed(f"source {n}", 0)
    assert [full.failed("one more", 1) for _ in range(10)] == [False] * 10
    assert len(full.parked) == MOST
    # The counts of one source stay few, however long it goes on.
    for n in range(10_000):
        breaker.failed("busy", 10**6 + n * 37)
        breaker.passed("busy", 10**6 + n * 37)
        breaker.passed("busy", 10**6 + n * 37)
    assert len(breaker._watched["busy"].counts) <= 10
