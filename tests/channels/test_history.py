"""Which contacts settle a matter: told apart as the fold tells them, and nothing later is looked at."""

from __future__ import annotations

from pathlib import Path

from detectors.policy import default
from streams.backtest import fold_events
from streams.channels.history import decided, gather
from streams.identity import Pseudonyms
from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged
from tests.channels.histories import DAY, HOUR, MINUTE, MONDAY, call, chat
from tests.simulate.runs import run
from tests.support.world import PSEUDONYM_KEY, REFERENCE_KEY

WEEK = 7 * DAY
NAMES = Pseudonyms(PSEUDONYM_KEY.encode(), REFERENCE_KEY.encode())


def settled(*parts: list[SourceEvent], until: int = 60 * DAY) -> list[tuple[str, str, bool]]:
    events = sorted(event for part in parts for event in part)
    found = decided(gather(events, default(), NAMES), WEEK, MONDAY + until)
    return [(one.intent, one.channel, one.settled) for one in found]


def test_a_further_contact_about_the_same_matter_within_the_window_says_that_it_was_not_settled() -> None:
    assert settled(call("ann", 0), call("ann", DAY)) == [
        ("cancel", "phone", False),
        ("cancel", "phone", True),
    ]
    assert settled(call("ann", 0), chat("ann", DAY))[0] == ("cancel", "phone", False)
    apart = [call("ann", 0), call("ann", WEEK + 11 * MINUTE)]
    assert [one[2] for one in settled(*apart)] == [True, True]
    other = [call("ann", 0), call("ann", DAY, "explain_invoice"), call("bob", 2 * HOUR)]
    assert [one[2] for one in settled(*other)] == [True, True, True]


def test_hanging_up_settles_nothing() -> None:
    assert settled(call("ann", 0, ends="call.abandoned")) == [("cancel", "phone", False)]


def test_what_the_company_itself_calls_open_is_not_settled() -> None:
    told = settled(call("ann", 0, result="unresolved"), call("bob", 1, result="resolved"), call("cy", 2))
    assert [one[2] for one in told] == [False, True, True]


def test_who_is_not_known_cannot_be_seen_to_come_again() -> None:
    assert settled(call(None, 0), call("ann", HOUR)) == [("cancel", "phone", True)]


def test_a_contact_whose_window_is_not_over_says_nothing_whatever_came_of_it() -> None:
    again = [call("ann", 0), call("ann", DAY)]
    assert settled(*again, until=WEEK + 9 * MINUTE) == []
    assert settled(*again, until=WEEK + 10 * MINUTE) == [("cancel", "phone", False)]


def test_repeats_of_the_fold_are_never_called_settled(tmp_path: Path) -> None:
    """On simulated people: whoever repeats by the fold has a contact before it that did not settle."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(raw + b"\n" for raw in run("quiet-day", 1, customers=250, hours=72).raw))
    events = list(read_merged(get_source("cloudevents"), [path], SourceCounts()))
    visits = gather(events, default(), NAMES)
    rows = decided(visits, WEEK, events[-1].time + 60 * DAY)
    assert len(rows) == len(visits) > 300
    repeats = {
        f"{row[0]}/{row[1]}"
        for folded in fold_events(events, default(), NAMES)
        for row in folded.findings.rows.get("channel_switches", ())
        if row[12] == "repeat"
    }
    assert len(repeats) > 20
    assert repeats <= {one.customer for one in rows if not one.settled}
    assert {one.channel for one in rows} >= {"web", "app", "bot", "phone", "chat", "email"}
    # What a contact adds is told from its own first event on: where somebody came from is not its doing.
    gained = [one.gained for one in rows if one.gained is not None]
    assert min(gained) < 0 < max(gained)
