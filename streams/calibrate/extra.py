"""The libraries that only fitting needs: an extra of this package, never asked for by a worker."""

from __future__ import annotations

from importlib.util import find_spec

from streams.errors import OperationError

__all__ = ["INSTALL", "need"]

INSTALL = "pip install 'rehuman[calibrate]'"
_PARTS = {"sklearn": "scikit-learn", "scipy": "scipy"}
_PICTURES = {"matplotlib": "matplotlib"}


def need(pictures: bool = False) -> None:
    """Raises OperationError with one line that says how to install what is missing."""
    wanted = _PARTS | (_PICTURES if pictures else {})
    missing = [name for module, name in wanted.items() if find_spec(module) is None]
    if missing:
        raise OperationError(f"calibrate needs {', '.join(missing)}, which is not installed: {INSTALL}")
