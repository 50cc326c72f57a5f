"""Inserts that wait are told: once when it begins, once a kind of reason, and once when they go on."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from prometheus_client import REGISTRY

from streams.errors import OperationError
from streams.warehouse.double import ListWriter
from streams.warehouse.errors import KINDS, SchemaMismatch, Unavailable
from streams.warehouse.inserter import Inserter, Owner
from streams.warehouse.packing import Piece
from tests.warehouse.test_inserter import no_sleep, piece, run, since, until


def test_when_all_go_nothing_waits_any_more() -> None:
    writer = ListWriter()
    writer.fail(10_000)

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=no_sleep, gap_s=0)
        owner = Owner()
        await inserter.put([piece(1)], owner)
        await until(lambda: since("unreachable"))
        owner.give_up()
        await owner.settled()
        await until(lambda: not since("unreachable"))

    with structlog.testing.capture_logs() as said:
        run(story)
    assert [line["log_level"] for line in said] == ["warning", "info"]
    assert "another worker" in said[1]["event"]


def test_one_line_when_it_begins_to_wait_and_one_when_it_goes_on() -> None:
    writer = ListWriter()
    writer.failure = Unavailable(
        "ClickHouse takes no rows of signals: its disk is full (code 243)", "disk_full"
    )
    writer.fail(10_000)

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=no_sleep, gap_s=0)
        owner = Owner()
        await inserter.put([piece(1), piece(1, table="events")], owner)
        await until(lambda: since("disk_full"))
        assert since("unreachable") == 0
        writer.fail(20)
        await owner.settled()

    with structlog.testing.capture_logs() as said:
        run(story)
    begins, ends = said
    assert begins["event"] == "clickhouse fails; facts wait, scores and alerts go on"
    assert begins["reason"] == "ClickHouse takes no rows of signals: its disk is full (code 243)"
    assert begins["kind"] == "disk_full"
    assert ends["event"] == "clickhouse answers again; facts go on"
    assert ends["tries"] > 20
    assert [since(kind) for kind in KINDS] == [0] * len(KINDS)
    assert REGISTRY.get_sample_value("rehuman_clickhouse_up") == 1


def test_another_kind_of_reason_is_told_once() -> None:
    class Moody(ListWriter):
        turns = 0

        def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
            self.turns += 1
            if self.turns <= 20:
                raise Unavailable("why", ("unreachable", "disk_full")[self.turns % 2])
            return super().write(pieces)

    async def story() -> None:
        owner = Owner()
        await Inserter(Moody(), strict=False, sleep=no_sleep, gap_s=0).put([piece(1)], owner)
        await owner.settled()

    with structlog.testing.capture_logs() as said:
        run(story)
    assert [line.get("kind") for line in said] == ["disk_full", "unreachable", None]


def test_errors_have_a_kind() -> None:
    assert Unavailable("x", "memory").kind == "memory"
    assert SchemaMismatch("x").kind == "schema"
    assert isinstance(SchemaMismatch("x"), OperationError)
