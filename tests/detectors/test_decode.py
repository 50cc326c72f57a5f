"""Records: what is refused and why, what comes through whole, and that a raw id goes no further."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.decode import REASONS, Decoder
from detectors.envelope import Data, Envelope
from detectors.events import Activation, Event, Rejected, Tick, to_tuple
from detectors.examples import MONDAY, Story
from detectors.labels import ID_BYTES, LABEL_BYTES, identifier, label
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.packed import plain
from detectors.policy import default
from detectors.scrub import MAX_ATTRIBUTES
from detectors.vocabulary import ALIASES, TYPES
from tests.detectors.malformed import GOOD, MALFORMED, record

POLICY = default()
NOW = MONDAY + 60_000


def pseudonym(tenant: str, subject: str) -> str:
    return "p" * 32


def decode(raw: bytes | None, stamp: int = NOW) -> Any:
    return Decoder(pseudonym, POLICY.floor, POLICY.document.time.ahead).decode(raw, stamp)


def event(**fields: Any) -> Event:
    found = decode(record(fields.pop("name", "1"), **fields))
    assert isinstance(found, Event), found
    return found


def fresh_log() -> LogFold:
    return LogFold(0, POLICY, pseudonym, lambda tenant, subject: "sealed")


@pytest.mark.parametrize(("name", "raw", "reason"), MALFORMED, ids=[name for name, _, _ in MALFORMED])
def test_malformed(name: str, raw: bytes, reason: str) -> None:
    """Each is refused for its reason, and names at most a field of the contract."""
    found = fresh_log().record(raw, NOW, 0, Findings())
    assert isinstance(found, Rejected)
    assert found.reason == reason
    known = {"", "data", "financial", "profiling", *Envelope.__struct_fields__, *Data.__struct_fields__}
    assert set(found.field.split(".")) <= known


def test_every_reason_has_a_record_and_every_record_differs() -> None:
    # Nothing that is written makes the fold fail: that reason is for defects of ours.
    assert {reason for _, _, reason in MALFORMED} == set(REASONS) - {"fold_failed"}
    assert len(MALFORMED) >= 60
    assert len({raw for _, raw, _ in MALFORMED}) == len(MALFORMED)
    assert decode(None) == Rejected("empty")


FULL: dict[str, Any] = {
    "channel": "chat",
    "journey": "loan",
    "step": "income",
    "intent": "apply",
    "case_id": "C-1",
    "session_id": "s1",
    "conversation_id": "c1",
    "device": "phone",
    "direction": "outbound",
    "actor": "machine",
    "agent_id": "a1",
    "alert_id": "al1",
    "team": "loans",
    "release": "2024.1",
    "language": "he",
    "segment": "gold",
    "engagement": {"financial": 0.1, "sentimental": 0.2, "expertise": 0.3, "temporal": 0.4},
    "first_time": True,
    "problem": False,
    "last_contact": True,
    "risk": 0.5,
    "emotion": -0.5,
    "prefers": "human",
    "vulnerable": True,
    "consent": {"profiling": True, "contact": False},
    "wait_s": 1.5,
    "announced_wait_s": 60,
    "talk_s": 30,
    "priority": "high",
    "queue": "q",
    "where": "ivr",
    "field": "salary",
    "reason": "declined",
    "result": "left",
    "results": 3,
    "amount": 9.5,
    "to_channel": "phone",
    "from_team": "a",
    "to_team": "b",
    "kind": "blind",
    "metric": "nps",
    "version": "2.0",
    "scale": "0-10",
    "score": 7,
}


def test_every_field_of_the_contract_comes_through() -> None:
    assert set(FULL) == set(Data.__struct_fields__)
    found = event(data=FULL, tenant="t")
    names = {"session_id": "session", "conversation_id": "conversation"}
    for name, value in FULL.items():
        if name == "engagement":
            assert found.engagement == pytest.approx(0.25)
        elif name == "consent":
            assert (found.profiling, found.contact) == (True, False)
        else:
            assert getattr(found, names.get(name, name)) == value, name
    assert (found.id, found.source, found.time, found.tenant) == ("1", "web/shop", MONDAY, "t")
    assert event(data={"priority": 3}).priority == "3"


def test_null_is_absent() -> None:
    nulls = dict.fromkeys(FULL)
    plain = to_tuple(event())[:-3]
    assert to_tuple(event(data=nulls))[:-3] == plain == to_tuple(event(data=None, tenant=None))[:-3]


@pytest.mark.parametrize(("sent", "meant"), [*ALIASES.items(), *((name, name) for name in TYPES)])
def test_types_and_aliases(sent: str, meant: str) -> None:
    for name in (sent, f"io.rehuman.{sent}"):
        found = event(type=name)
        spec = TYPES[meant]
        assert (found.type, found.channel, found.actor, found.direction) == (
            meant,
            spec.channel,
            spec.actor,
            spec.direction,
        )


def test_an_unknown_type_is_stored_and_counted_and_not_scored() -> None:
    story = Story().tell("page_view", 0).tell("com.shop.wish_list", 10, {"emotion": -1, "journey": "loan"})
    (row,) = story.rows("events", type="com.shop.wish_list")
    assert (row["effort"], row["human_need"], row["journey"]) == (None, 0.0, "loan")
    assert story.log.fold.counts.unknown == 1
    assert story.log.fold.counts.scored == 1
    assert not story.desk


def test_unknown_channels_become_other() -> None:
    assert event(data={"channel": "pigeon"}).channel == "other"


def test_unknown_fields_are_kept_up_to_the_limit() -> None:
    own = {"basket": {"items": [1, 2.5, None, "é"]}, "n": 10**40}
    assert json.loads(event(data=own | {"step": "s"}).attributes) == own
    many = {f"field_{number}": "x" * 50 for number in range(200)}
    kept = json.loads(event(data=many).attributes)
    assert 20 < len(kept) < 200
    assert kept.items() <= many.items()
    assert len(event(data=many).attributes) <= MAX_ATTRIBUTES


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"subject": "jane"}, "jane"),
        ({"subject": None, "data": {"session_id": "s", "conversation_id": "c"}}, "anon:s"),
        ({"subject": "", "data": {"conversation_id": "c"}}, "anon:c"),
        ({"subject": "anon:x"}, "anon:x"),
    ],
)
def test_subjects(fields: dict[str, Any], subject: str) -> None:
    decoder = Decoder(pseudonym, POLICY.floor, POLICY.document.time.ahead)
    found = decoder.decode(record("1", **fields), NOW)
    assert isinstance(found, Event)
    assert decoder.subject == subject
    assert found.anonymous == subject.startswith("anon:")
    assert found.tenant == "default"


def test_ticks_and_activations() -> None:
    assert decode(record("t", type="io.rehuman.tick", data={"fresh": "all"})) == Tick(MONDAY)
    assert decode(record("t", type="io.rehuman.tick", data={"stale": ["web"]})) == Tick(MONDAY, ("web",))
    raw = record("a", type="io.rehuman.policy", data={"version": 2, "policy": "x" * 600})
    assert decode(raw) == Activation(MONDAY, 2, "x" * 600)
    late = json.dumps(dict(reversed(json.loads(raw).items()))).encode()
    assert decode(late) == Activation(MONDAY, 2, "x" * 600), "whichever field comes first"


@given(st.lists(st.text(max_size=90), unique=True, min_size=2, max_size=20))
def test_labels_are_cut_without_collisions(names: list[str]) -> None:
    legal = [name.encode("utf-8", "replace").decode() for name in names]
    for cut, limit in ((label, LABEL_BYTES), (identifier, ID_BYTES)):
        found = {name: cut(name) for name in legal}
        assert len(set(found.values())) == len(set(legal))
        assert all(len(value.encode()) <= limit for value in found.values())
        assert all(value == name for name, value in found.items() if len(name.encode()) <= limit)


TEXTS = sorted(
    set(FULL)
    - {"channel", "direction", "actor", "metric", "engagement", "consent"}
    - {name for name, value in FULL.items() if not isinstance(value, str)}
)


@given(
    # With a mark, so that no word of our own can be in it by coincidence.
    subject=st.text(max_size=50).map(lambda text: f"j\u00e4n-{text}-42"),
    before=st.text(max_size=45),
    after=st.text(max_size=45),
    ascii_only=st.booleans(),
    kind=st.sampled_from(
        ["human.requested", "form_abandoned", "ticket.created", "survey.response", "own.type"]
    ),
)
@example("jane@example.org", "x" * 31, "", True, "human.requested")
@example('ja"ne\\n', "", "", True, "form_abandoned")
def test_a_raw_id_is_nowhere_else(subject: str, before: str, after: str, ascii_only: bool, kind: str) -> None:
    """Put into every text of an event: it reaches no row, no candidate and no state."""
    subject = subject.encode("utf-8", "replace").decode()
    text = (before + subject + after).encode("utf-8", "replace").decode()
    data: dict[str, Any] = dict.fromkeys(TEXTS, text)
    data |= {"own": text, "list": [{"deep": text}], text: 1, "emotion": -1.0, "metric": "ces", "score": 3}
    fields = {"id": (subject + after)[:128], "source": subject, "subject": subject, "data": data}
    raw = json.dumps(GOOD | {"type": kind} | fields, ensure_ascii=ascii_only).encode("utf-8", "replace")
    log, out = fresh_log(), Findings()
    found = log.record(raw, NOW, 0, out)
    if isinstance(found, Rejected):
        assert found.reason in ("wrong_value", "not_json")
        return
    log.record(
        record("t", type="io.rehuman.tick", time="2024-03-01T00:00:00Z", data={"fresh": "all"}), NOW, 1, out
    )
    told = [value for rows in out.rows.values() for row in rows for value in row]
    told += msgspec.json.decode(msgspec.json.encode(out.desk)) if out.desk else []
    told += [text for _, raw in log.fold.changed() if raw for text in _packed_texts(raw)]
    assert out.rows["events"]
    own = json.loads(str(out.rows["events"][0][-1]) or "{}")
    for text in [*_texts(told), *_texts(own)]:
        assert subject not in text


def _packed_texts(raw: bytes) -> list[str]:
    """Every text in a record of the changelog, a ring's base included."""
    value = msgspec.msgpack.decode(plain(raw))
    found = _texts(value)
    if isinstance(value, list) and len(value) > 24 and value[24]:
        found += _packed_texts(value[24][0])
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return []


def test_a_short_id_inside_a_longer_text_is_something_else() -> None:
    assert event(subject="42", data={"step": "step-42", "session_id": "42"}).step == "step-42"
    assert event(subject="42", data={"step": "step-42", "session_id": "42"}).session == "p" * 32


@given(st.binary(max_size=300))
def test_random_bytes_never_raise(raw: bytes) -> None:
    assert isinstance(fresh_log().record(raw, NOW, 0, Findings()), Rejected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*GOOD, "tenant", "data"])
KINDS = st.sampled_from([*TYPES, "io.rehuman.tick", "io.rehuman.policy", "x"])


@given(
    envelope=st.dictionaries(NAMES, JSON, max_size=2),
    data=st.dictionaries(st.sampled_from([*FULL, "stale", "policy", "version", "own"]), JSON, max_size=4),
    kind=KINDS,
    cut=st.integers(0, 400) | st.none(),
)
def test_nearly_events_never_raise(envelope: dict[str, Any], data: Any, kind: str, cut: int | None) -> None:
    """Structures near to an event's, with any values, whole and cut: an event, a tick or a reason."""
    raw = json.dumps(GOOD | {"type": kind, "data": data} | envelope).encode()[:cut]
    log, out = fresh_log(), Findings()
    found = log.record(raw, NOW, 0, out)
    assert found in ("event", "tick", "policy") or isinstance(found, Rejected)
    log.fold.changed()


@pytest.mark.parametrize("digits", [5_000, 30_000])
@pytest.mark.parametrize("field", ["priority", "amount", "own", "wait_s"])
def test_numbers_without_end(field: str, digits: int) -> None:
    """Python refuses to read or write them; a worker goes on."""
    for extra in ("", ', "step": "jane-jane"'):
        raw = record("1", subject="jane-jane", data="@").replace(
            b'"@"', f'{{"{field}": {"9" * digits}{extra}}}'.encode()
        )
        found = decode(raw)
        assert isinstance(found, Rejected) or field == "own"
