"""``rehuman topics``: the topics on the configured brokers."""

from __future__ import annotations

import typer

from streams.cli.options import AsJson, Config, load_settings, print_json

app = typer.Typer(help="Kafka topics.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps ``create`` a command of a group that will grow."""


@app.command()
def create(config: Config = None, as_json: AsJson = False) -> None:
    """Make the topics, or bring them up to date; safe to repeat.

    Where no policy is in force yet, the policy file (or the built-in one) becomes version 1.

    Example: rehuman topics create --config production.toml
    """
    settings = load_settings(config)
    from streams.kafka import admin
    from streams.policies import seed

    outcome = admin.create(settings)
    seed(settings)
    if as_json:
        print_json(outcome)
        return
    for name, what in outcome.items():
        typer.echo(f"{what:<9}  {name}")
