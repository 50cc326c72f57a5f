"""``python -m streams.engine DIR``: own DIR and answer ClickHouse's native protocol until told to stop."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from streams.engine.home import AlreadyOwnedError, Home
from streams.engine.server import serve
from streams.engine.session import EngineError

__all__ = ["ALREADY_OWNED", "main"]

# Exit code that tells a starter to use the owner that was faster.
ALREADY_OWNED = 3


def main(arguments: list[str] | None = None) -> int:
    """Run the engine; 0 stopped, 1 failed, 2 wrong usage, 3 the directory has an owner."""
    parser = argparse.ArgumentParser(prog="python -m streams.engine", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the data lie; made when it is not there")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--idle-exit", type=float, default=0.0, metavar="SECONDS", help="0: never (default)")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    log = logging.getLogger("streams.engine")
    try:
        serve(Home(options.directory), port=options.port, idle_exit_s=options.idle_exit)
    except AlreadyOwnedError as error:
        log.error("%s", error)
        return ALREADY_OWNED
    except (OSError, EngineError) as error:
        log.error("cannot serve %s: %s", options.directory, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
