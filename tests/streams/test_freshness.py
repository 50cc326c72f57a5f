"""Which sources are silent: the book that each worker keeps, and what they tell each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.freshness.sources import FORGET_MS, Sources, span

NOW = 1_700_000_000_000
SPAN = span("any")


def test_a_source_is_silent_after_its_span_and_until_it_has_caught_up() -> None:
    book = Sources()
    book.saw([("web", NOW), ("acd", NOW)], NOW)
    later = NOW + SPAN + 1
    book.saw([("web", later)], later)
    assert book.silent(later, span) == ["acd"]
    # The feed is back, and begins with what it had kept: what follows is still on its way.
    book.saw([("acd", NOW + 1_000)], later + 1_000)
    assert book.silent(later + 1_000, span) == ["acd"]
    book.saw([("acd", later)], later + 1_000)
    assert book.silent(later + 1_000, span) == []


def test_a_clock_from_the_future_keeps_no_dead_source_alive() -> None:
    book = Sources()
    book.saw([("acd", NOW + 20 * 3_600_000)], NOW)
    assert book.silent(NOW + SPAN, span) == []
    assert book.silent(NOW + SPAN + 1, span) == ["acd"]


def test_what_has_not_been_seen_for_a_week_is_forgotten_by_all() -> None:
    ours, theirs = Sources(), Sources()
    for book in (ours, theirs):
        book.heard("old", NOW)
    assert ours.silent(NOW + FORGET_MS, span) == ["old"]
    end = NOW + FORGET_MS + 1
    assert ours.silent(end, span) == []
    assert ours.news(end, span) == [("old", None)]
    theirs.heard("old", None)
    assert len(theirs) == 0


def test_sources_without_bound_do_not_grow_the_book() -> None:
    """The latest are kept; what everybody had been told of the others is taken back."""
    book = Sources(most=3)
    for number in range(10):
        book.saw([(f"s{number}", NOW + number)], NOW + number)
        for source, time in book.news(NOW + number, span):
            book.heard(source, time)
        assert len(book) <= 3
    assert book.silent(NOW + SPAN + 10, span) == ["s7", "s8", "s9"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100_000)), max_size=60), st.integers(2, 4))
def test_workers_agree_whoever_saw_what(events: list[tuple[str, int]], workers: int) -> None:
    """Each event is seen by one of them; after they have told each other, none calls silent what was seen.

    They may differ from one who saw everything by what is not worth telling: a twentieth of the span.
    """
    alone = Sources()
    books = [Sources() for _ in range(workers)]
    for number, (source, time) in enumerate(events):
        alone.saw([(source, NOW + time)], NOW + time)
        books[number % workers].saw([(source, NOW + time)], NOW + time)
        for book in books:
            for told in book.news(NOW + time, span):
                for other in books:
                    other.heard(*told)
    for now in (NOW + SPAN, NOW + SPAN + 50_000, NOW + SPAN + 100_001):
        for book in books:
            assert set(alone.silent(now, span)) <= set(book.silent(now, span))
            assert set(book.silent(now, span)) <= set(alone.silent(now + SPAN // 20, span))


def test_little_is_told_however_many_events_there_are() -> None:
    book, told = Sources(), 0
    for second in range(600):
        now = NOW + second * 1_000
        book.saw([("web", now)] * 100, now)
        for source, time in book.news(now, span):
            book.heard(source, time)
            told += 1
    assert told == 20
