"""What the project's command lines have in common: how they look, and the options that mean the same in each."""

import signal
import threading
from typing import Annotated, NoReturn

import typer

Environment = Annotated[str, typer.Option(help="An environment of config/gates.yaml.")]
Source = Annotated[str, typer.Option(help="Rows to train on; empty: what config/data.yaml names.")]


def new(text: str | None) -> typer.Typer:
    """A command line without commands; `text` is what --help says of it."""
    return typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help=text,
        callback=_end_as_by_ctrl_c,
    )


def _end_as_by_ctrl_c() -> None:
    """Clean up also when a terminal closes or a CI job is cancelled: a kubectl in a session of its own would stay."""
    if threading.current_thread() is threading.main_thread():  # no other may say what a signal does
        for number in (signal.SIGHUP, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup's
                signal.signal(number, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
