"""``rehuman dead-letters``: on Apache Kafka and on the embedded broker.

Most commands run in this process, by the program's own entry: a process each would take ten times as long.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from kafka import KafkaConsumer, TopicPartition

from streams.cli.app import run
from streams.clock import wall_ms
from streams.dead_letters import dead_letter, dead_place
from streams.kafka.producer import Producer
from streams.lanes.api import Output, Record
from streams.sources.api import cloud_event
from streams.topics import TopicNames
from tests.cli.conftest import PROGRAM, Run, environment
from tests.support.world import World

PARTITIONS = 3


class Answer(NamedTuple):
    out: str
    err: str


class Desk:
    """An installation's topics on one broker, and the commands against it."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[bytes], url: str, prefix: str
    ) -> None:
        self.settings = {"kafka_url": url, "topic_prefix": prefix, "partitions": PARTITIONS}
        for name, value in self.settings.items():
            monkeypatch.setenv(f"REHUMAN_{name.upper()}", str(value))
        self._captured = captured
        self.url = url
        self.topics = TopicNames(prefix)
        assert run(["topics", "create"]) == 0

    def run(self, *arguments: object, code: int = 0) -> Answer:
        self._captured.readouterr()
        found = run(["dead-letters", *map(str, arguments)])
        out, err = (text.decode() for text in self._captured.readouterr())
        assert found == code, err
        if code:
            assert err.count("\n") == 1, err
        return Answer(out, err)

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json").out)

    def put(self, *outputs: Output) -> None:
        with Producer(self.url) as producer:
            for topic, partition, key, value, headers in outputs:
                producer.send(topic, key, value or b"", partition=partition, headers=list(headers))

    def records(self, topic: str) -> list[Any]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.url.removeprefix("kafka://"), auto_offset_reset="earliest"
        )
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            found: list[Any] = []
            quiet = 0
            while quiet < 3:
                batches = consumer.poll(timeout_ms=100)
                quiet = 0 if batches else quiet + 1
                for batch in batches.values():
                    found += batch
            # 'topics create' has activated a policy in each partition.
            return [record for record in found if b"io.rehuman.policy" not in (record.value or b"")]
        finally:
            consumer.close()


@pytest.fixture(params=["kafka", "tansu"])
def desk(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Desk:
    if request.param == "tansu":
        url = request.getfixturevalue("broker_url")
    else:
        url = request.getfixturevalue("kafka").url
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return Desk(monkeypatch, capsysbinary, url, f"dl-{name}"[:90])


def event(place: int, source: str = "web/shop", subject: str = "jane@example.org") -> bytes:
    return cloud_event("page_view", 1_700_000_000_000 + place, source, f"e{place}", subject, {}).value


def letter(desk: Desk, place: int, reason: str, *, partition: int = 1, topic: str = "", **of: str) -> Output:
    record = Record(place, 1_700_000_000_000, b"jane@example.org", event(place, **of))
    return dead_letter(desk.topics, topic or desk.topics.events, partition, record, reason)


def test_list_show_resend(desk: Desk) -> None:
    assert desk.run("list").out == "no dead letters\n"
    desk.put(
        letter(desk, 0, "source_parked", source="phone/eu1"),
        letter(desk, 1, "source_parked", source="phone/eu1"),
        letter(desk, 2, "wrong_type:data.wait_s"),
        letter(desk, 3, "not_json", source="jane@example.org"),
    )
    found = desk.json("list", "--limit", 2)
    assert (found["total"], found["states"]) == (4, {"open": 4, "resent": 0, "came back": 0})
    groups = {(group["reason"], group["source"]): group["count"] for group in found["groups"]}
    assert groups == {
        ("source_parked", "phone/eu1"): 2,
        ("wrong_type:data.wait_s", "web/shop"): 1,
        ("not_json", "*"): 1,  # a source that names the customer
    }
    assert len(found["newest"]) == 2
    assert "jane" not in desk.run("list").out
    assert desk.json("list", "--reason", "wrong_type")["total"] == 1
    assert desk.json("list", "--reason", "wrong_type:data.risk")["total"] == 0
    assert desk.json("list", "--source", "phone/eu1", "--since", "10min")["total"] == 2
    assert desk.json("list", "--since", "2030-01-01")["total"] == 0

    (line,) = desk.json("list", "--reason", "wrong_type")["newest"]
    shown = desk.run("show", line["place"])
    assert "wrong_type" in shown.out
    assert f"{desk.topics.events}/1:2" in shown.out
    assert "jane" not in shown.out
    told = desk.json("show", line["place"])
    assert (told["field"], told["source"], told["bytes"]) == ("data.wait_s", "web/shop", len(event(2)))
    raw = desk.run("show", line["place"], "--raw")
    assert raw.out.encode() == event(2)
    assert "personal data" in raw.err

    counted = desk.json("resend", "--reason", "source_parked", "--dry-run")
    assert (counted["sent"], counted["dry_run"]) == (2, True)
    assert desk.records(desk.topics.events) == []
    assert desk.run("resend", "--reason", "source_parked").out == "sent 2 (source_parked 2)\n"
    resent = desk.records(desk.topics.events)
    assert [(record.partition, record.key, record.value) for record in resent] == [
        (1, b"jane@example.org", event(0, "phone/eu1")),
        (1, b"jane@example.org", event(1, "phone/eu1")),
    ]
    places = [dict(record.headers)["resent-from"].decode().rpartition("/")[2] for record in resent]
    parked = desk.json("list", "--reason", "source_parked")
    assert sorted(places) == sorted(line["place"] for line in parked["newest"])
    assert parked["states"] == {"open": 0, "resent": 2, "came back": 0}

    again = desk.run("resend", "--reason", "source_parked")
    assert again.out == "sent 0\nleft alone: 2 sent before\n"
    assert len(desk.records(desk.topics.events)) == 2


def test_what_comes_back_is_left_alone_until_asked_for(desk: Desk) -> None:
    desk.put(letter(desk, 0, "fold_failed:KeyError at detectors.waiting:8"))
    assert desk.json("resend", "--all")["sent"] == 1
    (record,) = desk.records(desk.topics.events)
    # The worker rejects it once more.
    desk.put(
        dead_letter(
            desk.topics,
            record.topic,
            record.partition,
            Record(record.offset, record.timestamp, record.key, record.value),
            "fold_failed:KeyError at detectors.waiting:8",
        )
    )
    assert desk.json("list")["states"] == {"open": 0, "resent": 1, "came back": 1}
    left = desk.json("resend", "--all")
    assert (left["matched"], left["sent"], left["resent_before"], left["came_back"]) == (2, 0, 1, 1)
    assert desk.json("resend", "--all", "--again")["sent"] == 1
    assert desk.json("resend", "--all", "--again")["sent"] == 0
    assert len(desk.records(desk.topics.events)) == 2


def test_every_topic_gets_its_own_back(desk: Desk) -> None:
    foreign = letter(desk, 5, "not_json", topic="others.events")
    strange = Output(desk.topics.dead_letters, 0, None, b"hello")
    desk.put(
        letter(desk, 0, "not_for_the_desk", partition=2, topic=desk.topics.desk), letter(desk, 1, "not_json")
    )
    desk.put(foreign, strange)
    result = desk.json("resend", "--all")
    assert (result["matched"], result["sent"], result["foreign"]) == (4, 2, 2)
    assert [record.partition for record in desk.records(desk.topics.desk)] == [2]
    assert [record.partition for record in desk.records(desk.topics.events)] == [1]
    assert desk.json("list", "--reason", "unknown")["total"] == 1


def test_bytes_that_stayed_where_they_were(desk: Desk) -> None:
    desk.put(
        Output(desk.topics.events, 1, b"jane", event(0)), Output(desk.topics.events, 1, b"joe", event(1))
    )
    now = wall_ms()
    desk.put(
        dead_place(desk.topics, desk.topics.events, 1, 2, now, "row_failed:TypeError at streams.blocks:9"),
        dead_place(desk.topics, desk.topics.events, 1, 7, now, "row_failed:TypeError at streams.blocks:9"),
    )
    places = {line["came_from"][-1]: line["place"] for line in desk.json("list")["newest"]}
    assert desk.run("show", places["2"], "--raw").out.encode() == event(1)
    assert "is not kept any more" in desk.run("show", places["7"], "--raw", code=1).err
    result = desk.json("resend", "--reason", "row_failed")
    assert (result["sent"], result["gone"]) == (1, 1)
    assert [(record.key, record.value) for record in desk.records(desk.topics.events)][-1] == (
        b"joe",
        event(1),
    )


def test_places_by_themselves(desk: Desk) -> None:
    desk.put(*(letter(desk, n, "not_json") for n in range(5)))
    first, second = (line["place"] for line in desk.json("list", "--limit", 2)["newest"])
    assert desk.json("resend", first)["sent"] == 1
    assert desk.json("resend", first, second)["sent"] == 1
    partition = first.partition(":")[0]
    assert "1 of 1 places hold no dead letter" in desk.run("resend", f"{partition}:900", code=1).err
    assert "no dead letter at" in desk.run("show", f"{partition}:900", code=1).err
    assert "has no partition 7" in desk.run("show", "7:0", code=1).err
    marks = [
        f"{record.partition}:{record.offset}"
        for record in desk.records(desk.topics.dead_letters)
        if dict(record.headers).get("mark")
    ]
    assert "the note of a resend" in desk.run("show", marks[0], code=1).err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["resend"], "resend: found nothing to choose by; expected places, --reason"),
        (["resend", "3-17"], "PARTITION:OFFSET: found '3-17'; expected a place such as 3:17"),
        (["resend", "--all", "--reason", "not_json"], "--all: found another choice beside it"),
        (["resend", "--reason", "nonsense"], "--reason: found 'nonsense'; expected one of"),
        (["list", "--since", "yesterday"], "--since: found 'yesterday'; expected a span such as"),
        (["list", "--since", "-5min"], "--since: found '-5min'; expected a span such as"),
        (["list", "--limit", "-1"], "--limit"),
        (["show"], "Missing argument 'PARTITION:OFFSET'"),
    ],
    ids=str,
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str) -> None:
    assert run(["dead-letters", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1), said.err
    assert expected in said.err


def test_what_is_down_or_missing_is_said_in_one_line(rehuman: Run, broker_url: str) -> None:
    done = rehuman("dead-letters", "resend", "--all", kafka_url="kafka://127.0.0.1:1")
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "Kafka at 127.0.0.1:1 (REHUMAN_KAFKA_URL) does not answer" in done.err
    done = rehuman("dead-letters", "list", kafka_url=broker_url, topic_prefix="nobody")
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "topic nobody.dead-letters is missing: run 'rehuman topics create'" in done.err


def test_a_resend_that_is_killed_is_finished_by_the_next(
    kafka: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    tmp_path: Any,
) -> None:
    """At most a batch is sent twice, nothing is left out; the fold counts a repetition once."""
    desk = Desk(monkeypatch, capsysbinary, kafka.url, "dl-killed")
    desk.put(*(letter(desk, n, "not_json", partition=n % PARTITIONS) for n in range(4_000)))
    running = subprocess.Popen(
        [PROGRAM, "dead-letters", "resend", "--all"], env=environment(tmp_path, **desk.settings)
    )
    while not desk.records(desk.topics.events) and running.poll() is None:
        pass
    running.kill()
    running.wait()
    desk.json("resend", "--all")
    assert desk.json("resend", "--all")["sent"] == 0
    values = [record.value for record in desk.records(desk.topics.events)]
    assert len(set(values)) == 4_000
    assert len(values) <= 4_000 + 500


def test_sent_twice_counts_once(world: Callable[..., World], tmp_path: Any) -> None:
    """Events before the floor; a policy with a lower one; the same command three times around it."""
    from detectors.policy import DEFAULT_TEXT

    made = world(partitions=2).prepare()
    topics = made.settings.topics
    worker = made.start_worker()
    old = 315_532_800_000  # 1980
    with Producer(made.settings.kafka_url) as producer:
        for place in range(40):
            sent = cloud_event("page_view", old + place * 60_000, "web", f"e{place}", f"c{place % 4}", {})
            producer.send(topics.events, sent.key, sent.value)
    made.settle()
    assert made.value("SELECT count() FROM dead_letters_exact WHERE reason = 'time_before_floor'") == 40

    def resend(*more: str) -> dict[str, Any]:
        done = made.rehuman("dead-letters", "resend", "--reason", "time_before_floor", "--json", *more)
        made.settle()
        found: dict[str, Any] = json.loads(done)
        return found

    # Nothing is mended yet: they come back, and are not sent round and round.
    assert resend()["sent"] == 40
    assert (resend()["sent"], resend()["came_back"]) == (0, 40)
    assert made.stop(worker) == 0
    policy = tmp_path / "policy.toml"
    policy.write_text(DEFAULT_TEXT.replace('floor = "1990', 'floor = "1970'))
    made.values["policy"] = str(policy)
    made.start_worker()
    assert resend("--again")["sent"] == 40
    assert resend("--again")["sent"] == 0
    # And once more behind its back: the same records, as they are.
    with Producer(made.settings.kafka_url) as producer:
        for record in made.records(topics.events):
            if record.key and record.headers:
                producer.send(topics.events, record.key, record.value)
    made.settle()
    assert made.value("SELECT count() FROM events_exact") == 40
    assert made.value("SELECT count(DISTINCT event_id) FROM events_exact") == 40
