"""Workers end with their test, also when it fails: the next one's would be in a group with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lanes.process import end_all


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    yield
    end_all()
