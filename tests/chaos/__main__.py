"""Kill, freeze, join and leave while events keep coming; then compare every row with a back-test of the log.

``python -m tests.chaos --events 1700000 --minutes 10 --seed 1 2 3`` prints what was done and what was
compared, for each seed. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.run import Chaos
from tests.chaos.stage import stage, verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--events", type=int, default=1_700_000, help="of each seed (default: 1700000)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of harm, for each seed (default: 10)")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3], help="one run each")
    parser.add_argument("--doubled", type=float, default=0.02, help="share of events sent twice")
    parser.add_argument("--disordered", type=float, default=0.0, help="share sent late within the lateness")
    parser.add_argument("--json", type=Path, help="write what was found to this file")
    parser.add_argument("--log", type=Path, help="append the workers' log to this file")
    options = parser.parse_args(arguments)
    logging.getLogger("kafka").setLevel(logging.ERROR)
    reports, failed = [], False
    for seed in options.seed:
        with ExitStack() as held:
            home, kafka, engine = held.enter_context(stage("chaos"))
            chaos = Chaos(kafka, engine, home, seed)
            held.callback(chaos.close)
            try:
                wrong = chaos.run(
                    options.events,
                    options.minutes * 60,
                    doubled=options.doubled,
                    disordered=options.disordered,
                )
            finally:
                if options.log:
                    with options.log.open("a") as log:
                        log.write(chaos.world.log())
        for name, value in chaos.report.items():
            print(f"{name}: {value}")
        failed |= bool(verdict(wrong))
        print(flush=True)
        reports.append(chaos.report | {"wrong": wrong})
        if options.json:
            options.json.write_text(json.dumps(reports, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
