"""What a worker does about memory, in a process of its own: it is for the whole of a process."""

from __future__ import annotations

import subprocess
import sys

START = """
import random, threading
from streams import collector

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

collector.settle()
before = resident()
"""
HOLES = """
made = [bytes(1_000) for _ in range(100_000)]
full = resident()
kept = made[::100]
del made
left = resident()
collector.sweep()
print(full - before, left - before, resident() - before)
"""
PASSING = """
made = [bytes(b"x" * 1_000_000) for _ in range(100)]
full = resident()
del made
collector.rest()
left = resident()
collector.rest()
print(full - before, left - before, resident() - before)
"""
# A little more than the half of the largest slots, of which there are 64.
MANY = """
made = [bytearray(b"ab" * 4_200_000) for _ in range(70)]
for block in made:
    block += b"c"
assert all(block[-3:] == b"abc" and len(block) == 8_400_001 for block in made)
print(resident() - before)
"""
# Blocks of all sizes grow, shrink and go, in four threads; each is full of its own number.
ALL_SIZES = """
def work(seed):
    rng, held = random.Random(seed), []
    for turn in range(4_000):
        size, number = int(2 ** rng.uniform(4, 22)), turn % 256
        held.append((number, bytearray([number]) * size))
        if rng.random() < 0.5:
            held[-1][1].extend(bytes([number]) * int(2 ** rng.uniform(4, 20)))
        if rng.random() < 0.3:
            block = held[-1][1]
            del block[rng.randrange(len(block)):]
        if len(held) > 12:
            number, block = held.pop(rng.randrange(len(held)))
            assert block.count(number) == len(block)
        if turn % 100 == 0:
            collector.rest()
    done.append(seed)

done = []
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(done))
"""


def _numbers(program: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", START + program], capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def test_what_lies_in_holes_is_given_back() -> None:
    """Of 100 MB one in a hundred is still in use, all over the heap."""
    full, left, swept = _numbers(HOLES)
    assert full > 100e6
    assert left > 90e6, "the C library keeps it: otherwise there is nothing to tell it"
    assert swept < 60e6


def test_large_blocks_are_kept_for_a_while() -> None:
    full, left, swept = _numbers(PASSING)
    assert full > 100e6
    assert left > 90e6, "the next ones would have the system fill it with zeros"
    assert swept < 20e6


def test_more_large_blocks_than_there_are_addresses_for() -> None:
    assert _numbers(MANY)[0] > 580e6


def test_every_block_keeps_what_was_written() -> None:
    assert _numbers(ALL_SIZES) == [4]
