"""Parameters: each with its reason, overridden by packs that name only what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.simulate.parameters import Parameters, _over, _read, load, pack_names

PATH = Path(__file__).parents[2] / "streams" / "simulate" / "parameters.toml"


def test_each_value_has_its_source_or_reason() -> None:
    # The journey's comment says what the matter is; the profile's stands above it.
    for line in PATH.read_text("utf-8").splitlines():
        if re.match(r"\w+ = ", line) and not line.startswith("profile"):
            assert re.search(r"  +# ?\S.{3,}", line), line


@pytest.mark.parametrize("pack", pack_names())
def test_packs_override_only_what_there_is(pack: str) -> None:
    of = load(pack)
    assert of.title
    assert len(of.hours.profile) == 24
    shares = [of.people.prefers_human, of.digital.fails, of.queue.silent, of.reply.silent, of.talk.comes_back]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert sum(intent.weight for intent in of.intents.values()) > 0


def test_a_slip_is_no_parameter() -> None:
    wrong: dict[str, Any] = {"people": {"skil": 0.5}}
    with pytest.raises(msgspec.ValidationError, match="skil"):
        msgspec.convert(_over(_read("parameters.toml"), wrong), Parameters)


def test_packs_change_something() -> None:
    packs = tomllib.loads(PATH.with_name("packs.toml").read_text("utf-8"))
    base = msgspec.to_builtins(load("quiet-day"))
    for pack in packs:
        assert (msgspec.to_builtins(load(pack)) == base) == (pack == "quiet-day")
