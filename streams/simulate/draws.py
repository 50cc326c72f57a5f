"""Random numbers by name: a number belongs to a customer and a purpose, not to a place in a sequence.

So one customer's numbers do not depend on the others', and two worlds that differ in one thing share all the
rest (common random numbers). The mixing is splitmix64's.

>>> key = key_of(seed=7, number=3)
>>> number(key, 5) == number(key, 5), number(key, 5) == number(key, 6)
(True, False)
>>> 0.49 < sum(number(key, place) for place in range(20_000)) / 20_000 < 0.51
True
"""

from __future__ import annotations

from hashlib import blake2b
from math import exp, log
from statistics import NormalDist

__all__ = ["chosen", "exponential", "key_of", "lognormal", "normal", "number", "weibull"]

_MASK = (1 << 64) - 1
_INVERSE = NormalDist().inv_cdf


def key_of(seed: int, number: int) -> int:
    """What all numbers of one customer are derived from: 64 bits."""
    return int.from_bytes(blake2b(f"{seed}:{number}".encode(), digest_size=8).digest(), "big")


def number(key: int, place: int) -> float:
    """An even number strictly between 0 and 1."""
    z = (key + place * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (((z ^ (z >> 31)) >> 11) + 0.5) * 1.1102230246251565e-16


def exponential(u: float, mean: float) -> float:
    """The exponential quantile of ``u``."""
    return -log(1.0 - u) * mean


def weibull(u: float, scale: float, shape: float) -> float:
    """The Weibull quantile of ``u``; exponential where ``shape`` is 1."""
    return float(scale * (-log(1.0 - u)) ** (1.0 / shape))


def normal(u: float) -> float:
    """The standard normal quantile of ``u``."""
    return _INVERSE(u)


def lognormal(u: float, median: float, sigma: float) -> float:
    """The log-normal quantile of ``u``."""
    return median * exp(sigma * _INVERSE(u))


def chosen(u: float, weights: dict[str, float]) -> str:
    """A name in proportion to its weight; the first where all are 0."""
    left = u * sum(weights.values())
    name = next(iter(weights))
    for candidate, weight in weights.items():
        if weight > 0.0:
            name = candidate
            left -= weight
            if left < 0.0:
                break
    return name
