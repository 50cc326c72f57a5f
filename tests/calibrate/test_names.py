"""Which features may be named, and what is said of one that may not."""

from __future__ import annotations

import pytest

from detectors.feature_names import FEATURES
from streams.calibrate.directions import DIRECTIONS
from streams.calibrate.parts import GROWING, chosen
from streams.errors import SettingError


@pytest.mark.parametrize("name", ["made_sla", "closed_at", "closed_code", "resolved_at", "resolved_by"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_only_the_end_knows_is_refused(name: str, place: int) -> None:
    given: list[tuple[str, ...]] = [(), (), ()]
    given[place] = (name,)
    with pytest.raises(SettingError, match=f"{name}.*known at the event"):
        chosen(*given)


def test_a_slip_is_told_with_what_is_near() -> None:
    with pytest.raises(
        SettingError, match=r"--without: found 'wait_sec'; expected a feature, such as wait_s"
    ):
        chosen((), ("wait_sec",), ())


def test_protected_attributes() -> None:
    hidden = [one.name for one in FEATURES if one.protected]
    assert hidden
    assert not set(chosen((), (), ())) & set(hidden)
    assert set(hidden) <= set(chosen((), (), hidden))
    assert chosen(("wait_s",), (), ("priority",)) == ["wait_s", "priority"]
    with pytest.raises(SettingError, match=r"--features: found 'priority', which is protected"):
        chosen(("priority",), (), ())
    with pytest.raises(SettingError, match=r"--with-protected: found 'wait_s'; expected a protected feature"):
        chosen((), (), ("wait_s",))


def test_what_grows_with_history_is_asked_for_by_name() -> None:
    assert not set(chosen((), (), ())) & set(GROWING)
    assert chosen(("known_h", "wait_s"), (), ()) == ["wait_s", "known_h"]
    assert "wait_s" not in chosen((), ("wait_s",), ())


def test_tables_name_features_that_are_there() -> None:
    known = {one.name for one in FEATURES}
    assert set(GROWING) <= known
    assert {rule.feature for rule in DIRECTIONS} <= known
    assert all(rule.reason and rule.sign in (1, -1) for rule in DIRECTIONS)
