"""The libraries that only fitting needs: an extra of this package, never asked for by a worker."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec

from streams.errors import OperationError

__all__ = ["INSTALL", "need", "one_thread"]

INSTALL = "pip install 'rehuman[calibrate]'"
_PARTS = {"sklearn": "scikit-learn", "scipy": "scipy"}
_PICTURES = {"matplotlib": "matplotlib"}


def need(pictures: bool = False) -> None:
    """Raises OperationError with one line that says how to install what is missing."""
    wanted = _PARTS | (_PICTURES if pictures else {})
    missing = [name for module, name in wanted.items() if find_spec(module) is None]
    if missing:
        raise OperationError(f"calibrate needs {', '.join(missing)}, which is not installed: {INSTALL}")


def one_thread() -> AbstractContextManager[object]:
    """While it is open the libraries use one thread: sums have one order, and no thread waits busily.

    The same history then gives the same bytes on every machine.
    """
    from threadpoolctl import threadpool_limits

    # Only what is loaded already can be told.
    for module in ("scipy.optimize", "sklearn.ensemble"):
        import_module(module)
    found: AbstractContextManager[object] = threadpool_limits(limits=1)
    return found
