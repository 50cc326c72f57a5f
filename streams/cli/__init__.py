"""The command line, ``rehuman``: one file a command group, imported light so that ``--help`` is quick."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted."""
    try:
        from streams.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Ctrl-C while things were being imported.
        code = 130
    sys.exit(code)
