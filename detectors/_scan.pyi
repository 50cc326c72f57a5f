from collections.abc import Callable, Iterable, Mapping
from typing import Any

def scan(raw: bytes | None) -> Any: ...
def prepare(
    fields: Iterable[tuple[str, int, int]],
    choices: Mapping[int, frozenset[str]],
    like: object,
    channels: frozenset[str],
    rare: Callable[..., object],
    no_rare: object,
    mean: Callable[[list[float]], float | None],
    attributes: Callable[[dict[str, bytes]], str],
    resolve: Callable[[str], tuple[str, int, bool, str, str, str]],
) -> None: ...
