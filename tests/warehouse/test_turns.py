"""Steps leave the event loop to others: never two between two of their turns, and a share of the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from streams.warehouse.turns import Turns

LANES, STEPS = 8, 30


def test_between_two_steps_everybody_else_has_a_turn() -> None:
    """An alert needs a dozen turns of the loop; each must not wait for a step of every lane."""
    turn = 0
    steps: list[int] = []

    def work() -> Iterator[int]:
        for number in range(STEPS):
            steps.append(turn)
            yield number

    async def story() -> None:
        nonlocal turn
        turns = Turns(1.0)

        async def lane() -> None:
            found = work()
            while await turns.next(found) is not None:
                pass

        lanes = asyncio.gather(*(lane() for _ in range(LANES)))
        while not lanes.done():
            turn += 1
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(story(), 60))
    assert len(steps) == LANES * STEPS
    assert len(set(steps)) == len(steps)


def test_lanes_take_turns() -> None:
    order: list[int] = []

    def work(lane: int) -> Iterator[int]:
        for number in range(STEPS):
            order.append(lane)
            yield number

    async def story() -> None:
        turns = Turns(1.0)

        async def run(lane: int) -> None:
            found = work(lane)
            while await turns.next(found) is not None:
                pass

        await asyncio.gather(*(run(lane) for lane in range(LANES)))

    asyncio.run(asyncio.wait_for(story(), 60))
    assert [order.count(lane) for lane in range(LANES)] == [STEPS] * LANES
    assert set(order[:LANES]) == set(range(LANES))


def test_steps_take_no_more_than_their_share() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def work() -> Iterator[int]:
        for number in range(5):
            time.sleep(0.01)
            yield number

    async def story(share: float) -> None:
        pauses.clear()
        turns, found = Turns(share, sleep), work()
        while await turns.next(found) is not None:
            pass

    asyncio.run(story(0.5))
    assert all(pause >= 0.009 for pause in pauses[:5])
    asyncio.run(story(0.25))
    assert all(pause >= 0.027 for pause in pauses[:5])
    asyncio.run(story(1.0))
    assert pauses == [0.0] * 6


def test_who_is_cancelled_lets_the_next_one_go_on() -> None:
    async def story() -> None:
        turns = Turns(1.0)
        waits = asyncio.create_task(turns.next(iter([1])))
        await waits
        gone = asyncio.create_task(turns.next(iter([2])))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert await turns.next(iter([3])) == 3

    asyncio.run(asyncio.wait_for(story(), 20))
