"""The two errors a user meets: a wrong setting, and an operation that failed.

Both carry one finished line. The command line prints it and exits with 2 or 1; anything else that escapes is
a defect and keeps its traceback.
"""

from __future__ import annotations

__all__ = ["OperationError", "SettingError"]


class SettingError(Exception):
    """A setting, argument or policy value that cannot be right (exit code 2)."""

    def __init__(self, setting: str, found: str, expected: str) -> None:
        """``setting`` is its name as the user wrote it, ``found`` must not hold a secret."""
        super().__init__(f"{setting}: found {found}; expected {expected}")
        self.setting = setting


class OperationError(Exception):
    """Something outside failed: a broker, a database, a file (exit code 1)."""
