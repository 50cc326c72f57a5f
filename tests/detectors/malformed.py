"""Records that are no events, of as many kinds as broken sources find: name, bytes, and why each is refused.

The pure decoder and the worker behind real Kafka are given the same list. Every record is different, and none
depends on when it is sent: "ahead of the broker" is so far ahead that it stays so.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["GOOD", "MALFORMED", "record"]

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "web/shop",
    "type": "page_view",
    "time": "2024-01-01T09:00:00Z",
    "subject": "jane",
}
_GONE = object()


def record(name: str, /, **fields: Any) -> bytes:
    """A good event with ``fields`` in place of its own; its id is the name, so that no two are equal."""
    event = GOOD | {"id": name} | fields
    return json.dumps({key: value for key, value in event.items() if value is not _GONE}).encode()


def _data(name: str, **fields: Any) -> bytes:
    return record(name, data=fields)


def _raw(name: str, text: str) -> bytes:
    """A good event whose ``data`` is written as it stands."""
    return record(name, data="@").replace(b'"@"', text.encode())


def _kinds() -> list[tuple[str, bytes, str]]:
    bytewise = [
        ("nothing", b"", "empty"),
        ("too large", _data("too large", text="x" * 70_000), "too_large"),
        ("too large and no JSON", b"x" * 65_537, "too_large"),
        ("latin-1", record("latin-1", subject="jos@").replace(b"@", b"\xe9"), "bad_utf8"),
        ("half a character", record("half") + b"\xe2\x82", "bad_utf8"),
        ("a surrogate in UTF-8", record("s", subject="@").replace(b"@", b"\xed\xa0\x80"), "bad_utf8"),
        ("an overlong character", record("o", subject="@").replace(b"@", b"\xc0\xaf"), "bad_utf8"),
        ("UTF-16", record("utf-16").decode().encode("utf-16"), "bad_utf8"),
        ("Avro", b"Obj\x01\x04\x14avro.codec\x08null", "not_json"),
        ("a zero byte", b"\x00", "not_json"),
        ("white space", b"  \n\t ", "not_json"),
        ("text", b"hello", "not_json"),
        ("XML", b"<event type='page_view'/>", "not_json"),
        ("CSV", b"web/shop,1,page_view,2024-01-01", "not_json"),
        ("cut in the middle", record("cut")[:60], "not_json"),
        ("two records", record("first") + record("second"), "not_json"),
        ("a comma too many", record("comma")[:-1] + b",}", "not_json"),
        ("single quotes", record("quotes").replace(b'"', b"'"), "not_json"),
        ("a byte order mark", b"\xef\xbb\xbf" + record("bom"), "not_json"),
        ("a comment", record("comment") + b" // why", "not_json"),
        ("not a number", _raw("nan", '{"wait_s": NaN}'), "not_json"),
        ("infinity", _raw("infinity", '{"wait_s": -Infinity}'), "not_json"),
        ("half a surrogate pair", record("pair", subject="@").replace(b"@", b"\\ud800"), "not_json"),
        ("a raw line break in a text", record("lf", step="a@b").replace(b"@", b"\n"), "not_json"),
        ("an unknown escape", record("escape", step="a@b").replace(b"@", b"\\x"), "not_json"),
        ("a number with a leading zero", _raw("zero", '{"wait_s": 007}'), "not_json"),
        ("a bomb of arrays", _raw("arrays", '{"own": ' + "[" * 5_000 + "]" * 5_000 + "}"), "too_deep"),
        ("a bomb of objects", _raw("objects", '{"a":' * 40 + "1" + "}" * 40), "too_deep"),
        ("an open bomb", b"[" * 60_000, "too_deep"),
        ("null", b"null", "not_an_object"),
        ("a number", b"42", "not_an_object"),
        ("a string", b'"page_view"', "not_an_object"),
        ("a batch", b"[" + record("batch") + b"]", "not_an_object"),
        ("true", b"true", "not_an_object"),
    ]
    missing = [
        (f"no {field}", record(f"no {field}", **{field: _GONE}), "missing_field")
        for field in ("specversion", "source", "type", "time")
    ] + [
        ("no id", record("no id", id=_GONE), "missing_field"),
        ("an empty object", b"{}", "missing_field"),
    ]
    typed = [
        ("version as a number", record("v1", specversion=1.0), "wrong_type"),
        ("id as a number", record("id", id=7), "wrong_type"),
        ("id null", record("id null", id=None), "wrong_type"),
        ("type null", record("type null", type=None), "wrong_type"),
        ("source as a list", record("source", source=["web"]), "wrong_type"),
        ("subject as a number", record("subject", subject=42), "wrong_type"),
        ("time in seconds", record("seconds", time=1_704_099_600), "wrong_type"),
        ("time null", record("time null", time=None), "wrong_type"),
        ("data as a list", record("data list", data=[]), "wrong_type"),
        ("data as a text", record("data text", data="{}"), "wrong_type"),
        ("tenant as an object", record("tenant", tenant={}), "wrong_type"),
        ("channel as a number", _data("channel", channel=5), "wrong_type"),
        ("wait as a text", _data("wait", wait_s="12"), "wrong_type"),
        ("wait as a bool", _data("wait bool", wait_s=True), "wrong_type"),
        ("first time as a text", _data("first", first_time="yes"), "wrong_type"),
        ("first time as a number", _data("first number", first_time=1), "wrong_type"),
        ("consent as a bool", _data("consent", consent=True), "wrong_type"),
        ("consent's profiling as a text", _data("profiling", consent={"profiling": "no"}), "wrong_type"),
        ("engagement as a number", _data("engagement", engagement=0.5), "wrong_type"),
        ("wrong beside a field of its own", _data("beside", own=1, step=3), "wrong_type"),
    ]
    valued = [
        ("another version", record("0.3", specversion="0.3"), "wrong_value"),
        ("id empty", record("id empty", id=""), "wrong_value"),
        ("id too long", record("long", id="x" * 129), "wrong_value"),
        ("source empty", record("source empty", source=""), "wrong_value"),
        ("type empty", record("type empty", type=""), "wrong_value"),
        ("subject too long", record("subject long", subject="x" * 257), "wrong_value"),
        ("tenant too long", record("tenant long", tenant="x" * 65), "wrong_value"),
        ("a control character in the id", record("a\x1fb"), "wrong_value"),
        ("emotion beyond its scale", _data("emotion", emotion=-1.5), "wrong_value"),
        ("risk in per cent", _data("risk", risk=40), "wrong_value"),
        ("engagement beyond 1", _data("engaged", engagement={"financial": 2}), "wrong_value"),
        ("a negative wait", _data("negative", wait_s=-1), "wrong_value"),
        ("a wait of ages", _data("ages", wait_s=1e12), "wrong_value"),
        ("a number beyond doubles", _raw("beyond", '{"wait_s": 1e999}'), "wrong_value"),
        ("an amount beyond sense", _data("amount", amount=10**30), "wrong_value"),
        ("a priority beyond sense", _data("priority", priority=10**30), "wrong_value"),
        ("an unknown direction", _data("direction", direction="sideways"), "wrong_value"),
        ("an unknown actor", _data("actor", actor="ghost"), "wrong_value"),
        ("an unknown metric", _data("metric", metric="happiness"), "wrong_value"),
    ]
    timed = [
        ("no zone", record("no zone", time="2024-01-01T09:00:00"), "bad_time"),
        ("only a date", record("date", time="2024-01-01"), "bad_time"),
        ("30 February", record("february", time="2024-02-30T09:00:00Z"), "bad_time"),
        ("25 o'clock", record("25", time="2024-01-01T25:00:00Z"), "bad_time"),
        ("the year 0", record("year 0", time="0000-01-01T00:00:00Z"), "bad_time"),
        ("American", record("american", time="01/31/2024 9:00 AM"), "bad_time"),
        ("an empty time", record("time empty", time=""), "bad_time"),
        ("before the floor", record("1970", time="1970-01-01T00:00:00Z"), "time_before_floor"),
        ("the year 1", record("year 1", time="0001-01-01T00:00:00+14:00"), "time_before_floor"),
        ("from the future", record("9998", time="9998-01-01T00:00:00Z"), "time_ahead_of_broker"),
        ("the last year", record("9999", time="9999-12-31T23:59:59-14:00"), "time_ahead_of_broker"),
    ]
    own = [
        ("nobody's", record("nobody", subject=_GONE), "no_subject"),
        ("nobody's, said so", record("said so", subject="", data={"session_id": None}), "no_subject"),
        ("a tick without data", record("tick", type="io.rehuman.tick"), "bad_tick"),
        ("a tick of a text", record("tick text", type="io.rehuman.tick", data={"stale": "web"}), "bad_tick"),
        (
            "a tick without a zone",
            record("tick zone", type="io.rehuman.tick", time="2024-01-01T09:00:00", data={"fresh": "all"}),
            "bad_time",
        ),
        (
            "a policy of a number",
            record("policy", type="io.rehuman.policy", data={"policy": 5}),
            "bad_policy",
        ),
        (
            "a policy without a text",
            record("policy empty", type="io.rehuman.policy", data={"version": 2, "policy": ""}),
            "bad_policy",
        ),
        (
            "a policy that is none",
            record("policy none", type="io.rehuman.policy", data={"version": 2, "policy": "scale = 1"}),
            "bad_policy",
        ),
    ]
    return bytewise + missing + typed + valued + timed + own


MALFORMED: list[tuple[str, bytes, str]] = _kinds()
