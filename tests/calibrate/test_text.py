"""One section of a policy's text is replaced; comments and everything else stay as they were."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.policy import DEFAULT_TEXT
from detectors.policy_errors import PolicyError
from streams.calibrate.text import with_section

SECTION = '[targets.reopen]\nbase = -2.0\n\n[targets.reopen.labels.queue.log_odds]\n"a b" = 0.5\n'
BASE = '''# The whole.
version = 1
words = """
[targets.reopen]   no header
"""
grid = [
  [1, 2],  # [targets.reopen]
  ["]", '#'],
]

# About reopening: measured in May.
[targets.reopen]
base = 1.0  # old
# inside
[targets.reopen.numbers.wait]
edges = [
  1.0,
]

# About calling back.
[targets.recontact]
base = 3.0  # kept
[[targets.reopen.pairs]]
first = "x"
# The end.
'''


def test_replaced_where_it_was() -> None:
    text = with_section(BASE, "targets.reopen", SECTION)
    found = tomllib.loads(text)
    assert found["targets"]["reopen"] == tomllib.loads(SECTION)["targets"]["reopen"]
    assert found["targets"]["recontact"] == {"base": 3.0}
    replaced = ("base = 1.0  # old", "# inside")
    kept = [line for line in BASE.splitlines() if "#" in line and line not in replaced]
    assert [line for line in text.splitlines() if "#" in line] == kept
    assert text.index("# About reopening") < text.index(SECTION.strip()) < text.index("# About calling")


def test_appended_to_the_default_policy_and_taken_back() -> None:
    once = with_section(DEFAULT_TEXT, "targets.reopen", SECTION)
    assert once.startswith(DEFAULT_TEXT.rstrip("\n"))
    assert with_section(once, "targets.reopen", SECTION) == once
    both = with_section(once, "targets.recontact", SECTION.replace("reopen", "recontact"))
    assert both.startswith(once.rstrip("\n"))
    assert with_section(both, "targets.reopen", SECTION) == both


@pytest.mark.parametrize(
    "base",
    ["targets = { reopen = { base = 1.0 } }\n", "targets.reopen.base = 1.0\n", "[targets]\nreopen.a = 1\n"],
)
def test_a_section_without_lines_of_its_own_is_refused(base: str) -> None:
    with pytest.raises(PolicyError, match=r"targets\.reopen"):
        with_section(base, "targets.reopen", SECTION)


@given(
    st.recursive(
        st.booleans() | st.integers(-9, 9) | st.text("ab[]#\"'\\\n=", max_size=8),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(["", "[targets.reopen]\nold = 1\n", "[targets.reopen.x]\nold = 1\n# end\n"]),
)
def test_whatever_stands_before_it(value: object, old: str) -> None:
    before = f"[first]\nvalue = {_written(value)}\n{old}[last]\n"
    found = tomllib.loads(with_section(before, "targets.reopen", SECTION))
    assert found["first"] == {"value": value}
    assert found["targets"] == tomllib.loads(SECTION)["targets"]


def _written(value: object) -> str:
    """As TOML, over several lines where it may be."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_written(inner)},  # ]\n" for inner in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{text}"""'
