"""What the project's command lines have in common: how they look, and the options that mean the same in each."""

from typing import Annotated

import typer

Environment = Annotated[str, typer.Option(help="An environment of config/gates.yaml.")]
Source = Annotated[str, typer.Option(help="Rows to train on; empty: what config/data.yaml names.")]


def new(text: str | None) -> typer.Typer:
    """A command line without commands; `text` is what --help says of it."""
    return typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=text)
