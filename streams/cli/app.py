"""All commands in one program, and what becomes of their errors: one line, and the right exit code."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from streams.cli import (
    backtest,
    calibrate,
    dead_letters,
    demo,
    doctor,
    explain,
    policy,
    replay,
    simulate,
    topics,
    warehouse,
    worker,
)
from streams.cli.options import Config, remember_config
from streams.errors import OperationError, SettingError

__all__ = ["app", "run"]

FAILED, USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="rehuman",
    help="Who needs a human now, and why: real-time monitoring of customer effort.",
    add_completion=False,
    no_args_is_help=True,
    # A pretty traceback shows the values of local variables, and those may be a customer's.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", short_help="Watch it all, embedded, on this machine.")(demo.demo)
app.command("worker", short_help="Run the lanes on Kafka and ClickHouse.")(worker.worker)
app.add_typer(topics.app, name="topics")
app.command("migrate", short_help="Bring the database up to date.")(warehouse.migrate)
app.command("replay", short_help="Publish a file's events to Kafka.")(replay.replay)
app.command("backtest", short_help="Score a file's events without a broker.")(backtest.backtest)
app.command("calibrate", short_help="Fit the policy to history.")(calibrate.calibrate)
app.command("simulate", short_help="Make up customers, with the truth about them.")(simulate.simulate)
app.add_typer(policy.app, name="policy")
app.command("sql", short_help="Ask ClickHouse.")(warehouse.sql)
app.command("explain", short_help="Show a customer's timeline and scores.")(explain.explain)
app.add_typer(dead_letters.app, name="dead-letters")
app.command("doctor", short_help="Say what is wrong, and how to mend it.")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rehuman {version('rehuman')}")
        raise typer.Exit


@app.callback()
def _all(
    config: Config = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    remember_config(config)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; a defect keeps its traceback."""
    try:
        code = app(arguments, prog_name="rehuman", standalone_mode=False)
    except TyperException as error:
        # Called without anything, a group answers with its help.
        return _say(
            error.format_message(), error.exit_code, whole=type(error).__name__ == "NoArgsIsHelpError"
        )
    except SettingError as error:
        return _say(str(error), USAGE)
    except OperationError as error:
        return _say(str(error), FAILED)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _say(message: str, code: int, whole: bool = False) -> int:
    sys.stderr.write((message if whole else " ".join(message.split())) + "\n")
    return code
