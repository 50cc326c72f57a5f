"""Policies: one line for whatever is wrong, and a reason for every default."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from detectors.policy import DEFAULT_TEXT, PolicyError, default, parse

RAW = tomllib.loads(DEFAULT_TEXT)
LINES = DEFAULT_TEXT.split("\n")
HEADER = re.compile(r"^\[\[?([\w.]+)\]\]?")
ENTRY = re.compile(r'^("?[\w*/]+"?) = (.*?)(\s+#.*)?$')


def entries() -> list[tuple[str, int]]:
    """Every key with its section, and its line."""
    section, found = "", []
    for number, line in enumerate(LINES):
        if match := HEADER.match(line):
            section = match[1]
        elif match := ENTRY.match(line):
            found.append((f"{section}.{match[1]}".lstrip("."), number))
    return found


def replaced(number: int, value: str) -> str:
    lines = list(LINES)
    match = ENTRY.match(lines[number])
    assert match
    lines[number] = f"{match[1]} = {value}"
    return "\n".join(lines)


def refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert str(caught.value).startswith(caught.value.key)
    return caught.value


ENTRIES = entries()


def at(path: str) -> Any:
    found: Any = RAW
    for part in path.replace('"', "").split("."):
        found = found[0][part] if isinstance(found, list) else found[part]
    return found


def test_every_key_is_found_here() -> None:
    assert len(ENTRIES) > 150
    assert default().version == 1


@pytest.mark.parametrize(("path", "number"), ENTRIES, ids=[path for path, _ in ENTRIES])
def test_every_key_has_its_reason(path: str, number: int) -> None:
    """Beside it, or above it, or for its section as a whole."""
    if "#" in LINES[number] or "." not in path:
        return
    section = next(line for line in reversed(LINES[:number]) if HEADER.match(line))
    if "#" in section:
        return
    before = path.rsplit(".", 1)[0].split(".")[0]
    reasons = [line for line in LINES if line.startswith(f"[{before}]") and "#" in line]
    neighbours = [line for line in LINES[max(0, number - 8) : number] if "#" in line]
    assert reasons or neighbours, path


@pytest.mark.parametrize(("path", "number"), ENTRIES, ids=[path for path, _ in ENTRIES])
def test_a_wrong_kind_of_value_is_named(path: str, number: int) -> None:
    value = at(path)
    wrong = "17" if isinstance(value, str | list) else '"a text"'
    error = refused(replaced(number, wrong))
    leaf = path.split(".")[-1].replace('"', "")
    assert leaf in error.key or path.split(".")[0] in error.key
    assert error.found
    assert error.expected


DURATIONS = [(path, n) for path, n in ENTRIES if re.fullmatch(r"[\d.]+(ms|s|min|h|d|w)", str(at(path)))]
NUMBERS = [(path, n) for path, n in ENTRIES if isinstance(at(path), float)]


@pytest.mark.parametrize(
    "value", ['"5"', '"5 minutes"', '"-5s"', '"0s"', '"99999999999d"', '"1e9s"', "300", '""']
)
@pytest.mark.parametrize(("path", "number"), DURATIONS[:12], ids=[path for path, _ in DURATIONS[:12]])
def test_durations_need_a_unit_and_a_length(path: str, number: int, value: str) -> None:
    if value == '"0s"' and path in ("time.lateness", "waiting.free", "waiting.short_abandon"):
        parse(replaced(number, value))
        return
    assert refused(replaced(number, value)).key.startswith(path.split(".")[0])


def test_all_durations_are_found() -> None:
    assert len(DURATIONS) > 35


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300"])
@pytest.mark.parametrize(("path", "number"), NUMBERS, ids=[path for path, _ in NUMBERS])
def test_numbers_are_finite(path: str, number: int, value: str) -> None:
    error = refused(replaced(number, value))
    assert path.split(".")[-1].strip('"') in error.key or error.key in path or error.key == "need.levels"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("rage_click = 4.0", "rage_clik = 4.0", "signals.rage_clik"),
        ("rage_click = 4.0  ", "", "signals.rage_click"),
        ("rage_click = 4.0", "rage_click = -4.0", "signals.rage_click"),
        ("purchase = -3.0", "purchase = 3.0", "signals.purchase"),
        ("scale = 20.0", "scale = 0", "effort.scale"),
        ("acute_weight = 0.7", "acute_weight = -0.1", "effort.acute_weight"),
        ("coverage_floor = 0.45", "coverage_floor = 1.5", "effort.coverage_floor"),
        ("[effort]", "[efort]", "efort"),
        ("lateness = ", "latenes = ", "time.latenes"),
        ('zone = "UTC"', 'zone = "Mars/Olympus"', "hours"),
        ('close = "17:00"', 'close = "08:00"', "hours"),
        ('open = "09:00"', 'open = "9 am"', "hours.open"),
        ('days = ["mon"', 'days = ["monday"', "hours.days"),
        ("soft_failures = 2", "soft_failures = 0", "switches.soft_failures"),
        ("soft_failures = 2", "soft_failures = 2.5", "switches.soft_failures"),
        ("solved_share = 0.3", "solved_share = 30", "relief.solved_share"),
        ("distress = -0.7", "distress = 0.7", "need.distress"),
        ("watch = 0.3", "watch = 0.9", "need.levels"),
        ("rearm = 0.35", "rearm = 0.6", "candidates.rearm"),
        ('horizon = "acute"', 'horizon = "weekly"', "need.signals"),
        ("[need.signals.human_requested]", "[need.signals.humans]", "need.signals.humans"),
        ("step_failed = 1.0", "step_faild = 1.0", "cause.default.step_faild"),
        ("asked_first = 1.0", "asked = 1.0", "cause.preference.asked"),
        ('cancel = ["phone", "store"]', 'cancel = ["fax"]', "channels.cancel"),
        ('"*" = ["phone", "chat", "messaging", "email"]', "", 'channels."*"'),
        ('"*" = "default"', 'loans = "loans"', 'teams."*"'),
        ('kind = "step"', 'kind = "stop"', "abandonment.override"),
        ("version = 1\n", "version = 0\n", "version"),
        ("version = 1\n", "", "version"),
        ("tried = 6", "tried = 99", "brief.tried"),
        ('floor = "1990-01-01T00:00:00Z"', 'floor = "1990-01-01"', "time.floor"),
        ('floor = "1990-01-01T00:00:00Z"', 'floor = "long ago"', "time.floor"),
        ("acute_weight = 0.7", "acute_weight = 0.0\n#", "effort.acute_weight"),
        ("[time]", "[time", "policy file"),
    ],
)
def test_each_slip_is_one_line_that_names_its_key(old: str, new: str, key: str) -> None:
    text = DEFAULT_TEXT.replace(old, new, 1)
    if key == "effort.acute_weight" and "#" in new:
        text = text.replace("chronic_weight = 0.3", "chronic_weight = 0.0")
    assert text != DEFAULT_TEXT
    assert refused(text).key.startswith(key)


def test_a_slip_of_the_pen_is_told_what_was_meant() -> None:
    assert "rage_click" in refused(DEFAULT_TEXT.replace("rage_click = 4.0", "rage_clik = 4.0")).expected
    assert "lateness" in refused(DEFAULT_TEXT.replace("lateness = ", "latenes = ")).expected


def test_nothing_at_all_and_something_else() -> None:
    assert refused("").key
    assert refused("[[version]]").key
    assert refused("\x00").key == "policy file"


def test_what_is_computed_fits_the_text() -> None:
    policy = default()
    assert policy.timeout("step", "research", "x") == 7 * 86_400_000
    assert policy.timeout("step", "order", "x") == 30 * 60_000
    assert [policy.level(need) for need in (0.0, 0.3, 0.5, 0.65, 0.85, 1.0)] == [0, 1, 2, 3, 4, 4]
    assert policy.text == DEFAULT_TEXT
