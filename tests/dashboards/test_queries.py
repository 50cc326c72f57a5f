"""The live view's SQL on a current engine: what it shows is what the fold decided, fact for fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

import pytest
from clickhouse_driver import Client

from dashboards.terminal.frame import Alert, Moment
from dashboards.terminal.reader import Reader
from detectors import effort
from detectors.decode import Decoder
from detectors.events import Event, Tick
from detectors.moment import Findings
from detectors.partition import PartitionFold
from detectors.policy import default
from detectors.state import Sums
from detectors.tables import TABLES, Row
from streams.scenario.stream import events
from streams.ticks import TickAt, with_ticks
from streams.warehouse.client import connect
from streams.warehouse.writer import FactsWriter
from tests.support.engine import shared

pytestmark = pytest.mark.engine

START = 1_790_000_000_000
HOUR = 3_600_000


class Folded:
    """An hour and a half of the scenario, folded in this process."""

    def __init__(self) -> None:
        self.policy = default()
        self.fold = PartitionFold(0, self.policy, lambda tenant, subject: "reference")
        self.findings = Findings()
        decoder = Decoder(lambda tenant, subject: f"p-{subject}", self.policy.floor, 0)
        people = takewhile(lambda event: event.time < START + 1.5 * HOUR, events(3, START, 20.0))
        for offset, item in enumerate(with_ticks(people, 60_000, 0, fill_gaps=True)):
            if isinstance(item, TickAt):
                for _ in self.fold.tick(Tick(item.time), offset, self.findings):
                    pass
                continue
            event = decoder.decode(item.value, item.time)
            assert isinstance(event, Event)
            event.offset, event.partition = offset, 0
            self.fold.event(event, decoder.subject, self.findings)

    def rows(self, table: str) -> list[Row]:
        return self.findings.rows.get(table, [])

    def facts(self, table: str) -> list[dict[str, object]]:
        """Each fact once, in its highest version, without the retracted."""
        names = TABLES[table].names
        newest: dict[object, dict[str, object]] = {}
        for row in self.rows(table):
            fact = dict(zip(names, row, strict=True))
            known = newest.get(fact["fact_id"])
            if known is None or int(str(known["ver"])) <= int(str(fact["ver"])):
                newest[fact["fact_id"]] = fact
        return [fact for fact in newest.values() if not fact["retracted"]]


@pytest.fixture(scope="module")
def folded() -> Folded:
    return Folded()


@pytest.fixture(scope="module")
def url(folded: Folded) -> str:
    url = shared().database()
    writer = FactsWriter(url)
    for table, rows in folded.findings.rows.items():
        for _ in range(2):  # sent twice, as a crash would: the view counts exact facts
            writer.insert(table, TABLES[table].names, list(zip(*rows, strict=True)))
    writer.close()
    return url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = connect(url)
    yield client
    client.disconnect()


def test_counts_are_exact(folded: Folded, client: Client) -> None:
    frame = Reader(client, folded.policy, None).poll()
    assert frame.stored == folded.fold.counts.accepted > 1_000
    assert frame.total("signals") == len(folded.facts("signals"))
    for what, table in (("abandonments", "abandonments"), ("switches", "channel_switches")):
        kinds = Counter(str(fact["kind"]) for fact in folded.facts(table))
        assert {kind: frame.total(what, kind) for kind in kinds} == kinds
        assert frame.total(what) == sum(kinds.values()) > 100
    recovered = [fact for fact in folded.facts("abandonments") if fact["recovered_at"]]
    assert frame.total("abandonments", "cart", "recovered") == len(recovered) > 0
    assert frame.total("abandonments", detail="silent") > 0


def test_standings_are_the_folds_own_decayed_to_now(folded: Folded, client: Client) -> None:
    now = START + int(1.5 * HOUR)
    frame = Reader(client, folded.policy, lambda: now).poll()
    assert len(frame.standings) > 10
    for one in frame.standings:
        state = folded.fold.customer("default", one.customer)
        assert state is not None
        journey = next(journey for journey in state.journeys if journey.name == one.journey)
        expected = effort.score(journey.sums, now, folded.policy)
        if one.effort is not None:
            assert one.effort == pytest.approx(expected, abs=1e-6)
    scores = [one.effort for one in frame.standings if one.effort is not None]
    assert scores == sorted(scores, reverse=True)


def test_changes_are_those_of_all_the_signals_there_are(folded: Folded, client: Client) -> None:
    now = START + int(1.4 * HOUR)
    frame = Reader(client, folded.policy, lambda: now).poll()
    since = now - frame.spans.moved
    assert frame.rises
    assert frame.falls
    for one in (*frame.rises, *frame.falls):
        sums = Sums(at=START)
        for fact in folded.facts("signals"):
            if (fact["customer"], fact["journey"]) == (one.customer, one.journey):
                assert isinstance(fact["time"], int)
                assert isinstance(fact["points"], float)
                if fact["time"] <= since:
                    effort.add(sums, fact["points"], fact["time"], folded.policy)
        before = effort.score(sums, since, folded.policy)
        assert (one.effort or 0) - one.change == pytest.approx(before, abs=1e-6)


def test_contributions_add_up_and_agree_with_the_folds(folded: Folded, client: Client) -> None:
    now = START + int(1.5 * HOUR)
    looking = Reader(client, folded.policy, lambda: now)
    compared = 0
    for one in looking.poll().standings:
        state = folded.fold.customer("default", one.customer)
        assert state is not None
        journey = next(journey for journey in state.journeys if journey.name == one.journey)
        if one.effort is None:
            continue
        expected = effort.contributions(journey.parts, one.effort, now, folded.policy)
        if any(number == folded.policy.other for number, *_ in expected):
            continue  # the fold has summed the smallest ones up; the view has them apart
        assert [part.points for part in one.why] == pytest.approx(
            [points for _, points, _, _ in expected[: len(one.why)]], abs=1e-6
        )
        compared += 1
    assert compared > 5


def test_only_what_was_stored_since_is_read_again(folded: Folded, client: Client) -> None:
    looking = Reader(client, folded.policy, None)
    first = looking.poll()
    assert {type(one) for one in first.fresh} >= {Moment}
    assert looking.poll().fresh == ()


def test_alerts_carry_their_reasons(folded: Folded, url: str, client: Client) -> None:
    names = TABLES["alerts"].names
    blank: dict[str, object] = {"lc": "", "str": "", "f64": 0.0, "u8": 0, "u32": 1, "i32": 0, "i64": 0}
    values = {column.name: blank.get(column.kind) for column in TABLES["alerts"].columns}
    values |= {
        "tenant": "default",
        "customer": "p-x",
        "fact_id": "alert-1",
        "alert_id": "a",
        "type": "alert.raised",
        "time": START,
        "opened_at": START,
        "level": "human_now",
        "cause": "default",
        "journey": "claim",
        "effort": 71.0,
        "ces": 2.7,
        "human_need": 0.9,
        "recommended_channel": "phone",
        "contributions": '[{"signal":"form_error","points":71.0,"count":6}]',
        "factors": '[{"factor":"effort","log_odds":2.1}]',
        "do_not_ask": '["policy_number"]',
    }
    writer = FactsWriter(url)
    writer.insert("alerts", names, [[values[name]] for name in names])
    writer.close()
    frame = Reader(client, folded.policy, None).poll()
    (alert,) = [one for one in frame.fresh if isinstance(one, Alert)]
    assert (alert.what, alert.level, alert.at, alert.effort) == ("raised", "human_now", START, 71.0)
    assert alert.contributions[0][:2] == ("form_error", 71.0)
    assert (alert.factors, alert.do_not_ask) == ((("effort", 2.1),), ("policy_number",))
    assert frame.total("alerts", "human_now", "default") == 1
