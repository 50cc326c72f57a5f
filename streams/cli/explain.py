"""``rehuman explain``: one customer's timeline."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, load_settings


def explain(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The id as the sources have it.")],
    tenant: Annotated[str, typer.Option(metavar="T", help="Whose customer.")] = "default",
    pseudonym: Annotated[bool, typer.Option("--pseudonym", help="CUSTOMER is a pseudonym already.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a customer's timeline, with what each event added to the score.

    Example: rehuman explain 10042 --tenant default
    """
    settings = load_settings(config)
    from streams.explain import run

    run(settings, customer, tenant=tenant, pseudonym=pseudonym, as_json=as_json)
