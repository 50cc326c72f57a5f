"""What publishing a version means, given those that are there; and how large a policy may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.decode import Decoder
from detectors.events import Activation
from detectors.policy import DEFAULT_TEXT, Policy, PolicyError, parse
from detectors.timeline import Timeline
from streams import publishing
from streams.errors import OperationError, SettingError
from streams.policies import Published, activation_record, newest
from streams.publishing import Outcome, Plan, decide, follower, in_force
from streams.settings import load

NOW = 1_706_700_000_000
HOUR = 3_600_000


def version(number: int, more: str = "") -> Policy:
    return parse(DEFAULT_TEXT.replace("version = 1", f"version = {number}") + more)


def known(number: int, since: int, complete: bool = True) -> Published:
    return Published(number, version(number).text, since, complete)


def having(*entries: Published) -> dict[int, Published]:
    return {entry.version: entry for entry in entries}


VERSIONS = [version(number) for number in range(1, 7)]
TWO = having(known(1, 0), known(2, NOW - HOUR))


def test_a_new_number_holds_from_now_or_from_the_time_given() -> None:
    assert decide(TWO, version(3), None, NOW) == Plan(NOW, "published")
    for since in (NOW - HOUR, NOW - 1, NOW + HOUR):
        assert decide(TWO, version(7), since, NOW) == Plan(since, "published")


def test_the_same_text_again_is_nothing_or_goes_on_where_it_stopped() -> None:
    assert decide(TWO, version(2), None, NOW) == Plan(NOW - HOUR, "unchanged")
    assert decide(TWO, version(1), 0, NOW) == Plan(0, "unchanged")
    half = having(known(1, 0), known(2, NOW - HOUR, complete=False))
    assert decide(half, version(2), None, NOW) == Plan(NOW - HOUR, "completed")


@pytest.mark.parametrize(
    ("policy", "since", "line"),
    [
        (version(2, "# other"), None, "version: found 2, published with another text; expected 3, the next"),
        (version(1, "# other"), None, "version: found 1, published with another text; expected 3, the next"),
        (
            version(3),
            NOW - HOUR - 1,
            "--from: found 2024-01-31T10:19:59.999Z; expected 2024-01-31T10:20:00.000Z or later: from then "
            "on version 2 holds",
        ),
        (
            version(2),
            NOW,
            "--from: found 2024-01-31T11:20:00.000Z; expected 2024-01-31T10:20:00.000Z, since when version 2 "
            "is published to hold, or a new one",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(
    policy: Policy, since: int | None, line: str
) -> None:
    with pytest.raises(SettingError) as error:
        decide(TWO, policy, since, NOW)
    assert str(error.value) == line


def test_numbers_only_grow_and_one_is_finished_before_the_next() -> None:
    with pytest.raises(SettingError, match="version: found 4; expected 6, the next: 5 is published"):
        decide(having(known(1, 0), known(5, 1)), version(4), None, NOW)
    with pytest.raises(OperationError, match="version 2 has not reached every partition"):
        decide(having(known(1, 0), known(2, 1, complete=False)), version(3), None, NOW)
    with pytest.raises(OperationError, match="rehuman topics create"):
        decide({}, version(1), None, NOW)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_what_is_said_to_be_in_force_is_what_the_fold_takes(moments: list[int]) -> None:
    """Versions in the order of their publishing, each from its moment on, two from the same one included."""
    timeline = Timeline(VERSIONS[0])
    found: dict[int, Published] = {}
    for offset, moment in enumerate([0, *moments]):
        policy = VERSIONS[offset]
        timeline.activate(offset, moment, policy.text)
        found[policy.version] = Published(policy.version, policy.text, moment, True)
    for time in range(8):
        holds = in_force(found, time)
        assert holds is not None
        assert holds.version == timeline.policy(time, 100).version
        turn = timeline.turn(time)
        after = follower(found, time)
        assert (after.since if after else 0) == turn
        if after:
            assert after.version == timeline.policy(turn, 100).version


class Broken:
    """A producer whose brokers take so many records."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.sent: list[tuple[str, bytes | None, bytes | None, int | None, Any]] = []

    def __call__(self, _: str) -> Broken:
        return self

    def __enter__(self) -> Broken:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def partitions(self, topic: str) -> int:
        return 3 if topic.endswith("events") else 1

    def send(
        self, topic: str, key: Any, value: Any, *, partition: int | None = None, headers: Any = None
    ) -> None:
        if len(self.sent) == self.takes:
            raise OperationError("Kafka fails")
        self.sent.append((topic, key, value, partition, headers))

    def flush(self) -> None:
        pass

    def history(self, _: object) -> list[Published]:
        found = [known(1, 0)]
        for topic, key, value, _, headers in self.sent:
            if topic.endswith("policy") and key and value:
                told = dict(headers)
                since, complete = int(told["from"]), told["complete"] == b"1"
                found.append(Published(int(key), value.decode(), since, complete))
        return found

    def told(self) -> set[tuple[int | None, bytes | None]]:
        """Activations by partition."""
        return {(place, value) for topic, _, value, place, _ in self.sent if topic.endswith("events")}


@pytest.mark.parametrize("takes", range(5))
def test_wherever_it_breaks_publishing_again_completes_it(
    takes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first moment stays, also where the second attempt is made much later."""
    brokers = there(monkeypatch, takes)
    with pytest.raises(OperationError, match="Kafka fails"):
        publishing.publish(load(None), version(2), None)
    brokers.takes = 1_000
    monkeypatch.setattr(publishing, "wall_ms", lambda: NOW + HOUR)
    done = publishing.publish(load(None), version(2), None)
    first = NOW if takes else NOW + HOUR
    assert done == Outcome(2, first, "completed" if takes else "published", None, False)
    record = activation_record(version(2), first)
    assert brokers.told() == {(partition, record) for partition in range(3)}
    assert newest(brokers.history(None))[2].complete
    assert publishing.publish(load(None), version(2), None).what == "unchanged"


def there(monkeypatch: pytest.MonkeyPatch, takes: int = 1_000) -> Broken:
    brokers = Broken(takes)
    monkeypatch.setattr("streams.kafka.producer.Producer", brokers)
    monkeypatch.setattr(publishing, "history", brokers.history)
    monkeypatch.setattr(publishing, "wall_ms", lambda: NOW)
    return brokers


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize(("theirs", "mine"), [("", ""), ("# theirs", "# mine")])
def test_of_two_who_publish_at_once_the_first_has_the_number(
    complete: bool, theirs: str, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's record lands between our look and ours: the same text has its moment, another one is told."""
    brokers = there(monkeypatch)
    rival = Published(2, version(2, theirs).text, NOW - 5, complete)
    # The first look is from before anybody wrote.
    looks = [[known(1, 0)]]

    def history(_: object) -> list[Published]:
        return looks.pop() if looks else [known(1, 0), rival, *brokers.history(None)[1:]]

    monkeypatch.setattr(publishing, "history", history)
    if theirs == mine:
        assert publishing.publish(load(None), version(2), None).since == NOW - 5
        record = activation_record(version(2), NOW - 5)
        assert brokers.told() == {(partition, record) for partition in range(3)}
        return
    with pytest.raises(OperationError, match="version 2 was published by somebody else"):
        publishing.publish(load(None), version(2, mine), None)
    assert brokers.told() == set()
    assert newest(brokers.history(None))[2] == rival


def test_the_largest_policy_passes_and_a_larger_one_is_refused() -> None:
    """32 KiB, of which JSON writes almost each byte as two: more than any event may have."""
    base = version(2).text + "#"
    most = base + '"' * (32 * 1024 - len(base.encode()))
    short = "#" + "\\" * (32 * 1024 - 1)
    decoder = Decoder(lambda tenant, subject: subject, 0, 0)
    for text in (most, short):
        policy = version(2)
        policy.text = text
        raw = activation_record(policy, NOW)
        assert decoder.decode(raw, NOW) == Activation(NOW, 2, text)
    assert len(raw) > 64 * 1024
    assert parse(most).version == 2
    with pytest.raises(PolicyError, match=r"found 32,769 bytes; expected 32,768 at most"):
        parse(most + "#")
    with pytest.raises(PolicyError, match="bytes"):
        parse(base + "é" * 16_000)
    event = b'{"specversion":"1.0","id":"1","source":"s","type":"io.rehuman.policy","x":"' + b"y" * 65_536
    assert decoder.decode(event + b'"}', NOW).__class__.__name__ == "Rejected"
