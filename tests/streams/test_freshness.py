"""Which sources are silent: the book that each worker keeps, and what they tell each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.labels import label
from detectors.policy import DEFAULT_TEXT, default, parse
from streams.freshness.sources import FORGET_MS, Sources, silence

NOW = 1_700_000_000_000
SPANS = silence(default())
SPAN = SPANS("any")


def test_a_source_is_silent_after_its_span_and_until_it_has_caught_up() -> None:
    book = Sources(SPANS)
    book.saw([("web", NOW), ("acd", NOW)], NOW)
    later = NOW + SPAN + 1
    book.saw([("web", later)], later)
    assert book.silent(later) == ["acd"]
    # The feed is back, and begins with what it had kept: what follows is still on its way.
    book.saw([("acd", NOW + 1_000)], later + 1_000)
    assert book.silent(later + 1_000) == ["acd"]
    book.saw([("acd", later)], later + 1_000)
    assert book.silent(later + 1_000) == []


def test_the_policy_has_a_span_for_each_source() -> None:
    """Also for one whose name is longer than the label that its events carry."""
    nightly = "crm/nightly-export-of-everything-that-was-said"
    text = DEFAULT_TEXT.replace("silences = {}", f'silences = {{ "acd" = "2min", "{nightly}" = "36h" }}')
    book = Sources(silence(parse(text)))
    book.saw([("acd", NOW), ("web", NOW), (label(nightly), NOW)], NOW)
    assert book.silent(NOW + 120_001) == ["acd"]
    assert book.silent(NOW + 36 * 3_600_000) == ["acd", "web"]


def test_a_clock_from_the_future_keeps_no_dead_source_alive() -> None:
    book = Sources(SPANS)
    book.saw([("acd", NOW + 20 * 3_600_000)], NOW)
    assert book.silent(NOW + SPAN) == []
    assert book.silent(NOW + SPAN + 1) == ["acd"]


def test_what_has_not_been_seen_for_a_week_is_forgotten_by_all() -> None:
    ours, theirs = Sources(SPANS), Sources(SPANS)
    for book in (ours, theirs):
        book.heard("old", NOW)
    assert ours.silent(NOW + FORGET_MS) == ["old"]
    end = NOW + FORGET_MS + 1
    assert ours.silent(end) == []
    assert ours.news(end) == [("old", None)]
    theirs.heard("old", None)
    assert len(theirs) == 0


def test_sources_without_bound_do_not_grow_the_book() -> None:
    """The latest are kept; what everybody had been told of the others is taken back."""
    book = Sources(SPANS, most=3)
    for number in range(10):
        book.saw([(f"s{number}", NOW + number)], NOW + number)
        for source, time in book.news(NOW + number):
            book.heard(source, time)
        assert len(book) <= 3
    assert book.silent(NOW + SPAN + 10) == ["s7", "s8", "s9"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100_000)), max_size=60), st.integers(2, 4))
def test_workers_agree_whoever_saw_what(events: list[tuple[str, int]], workers: int) -> None:
    """Each event is seen by one of them; after they have told each other, none calls silent what was seen.

    They may differ from one who saw everything by what is not worth telling: a twentieth of the span.
    """
    alone = Sources(SPANS)
    books = [Sources(SPANS) for _ in range(workers)]
    for number, (source, time) in enumerate(events):
        alone.saw([(source, NOW + time)], NOW + time)
        books[number % workers].saw([(source, NOW + time)], NOW + time)
        for book in books:
            for told in book.news(NOW + time):
                for other in books:
                    other.heard(*told)
    for now in (NOW + SPAN, NOW + SPAN + 50_000, NOW + SPAN + 100_001):
        for book in books:
            assert set(alone.silent(now)) <= set(book.silent(now))
            assert set(book.silent(now)) <= set(alone.silent(now + SPAN // 20))


def test_little_is_told_however_many_events_there_are() -> None:
    book, told = Sources(SPANS), 0
    for second in range(600):
        now = NOW + second * 1_000
        book.saw([("web", now)] * 100, now)
        for source, time in book.news(now):
            book.heard(source, time)
            told += 1
    assert told == 20
