"""The steps of a model's life as commands. What a user can mend is said in a sentence; the exit code is then 1."""

import os
import sys
from typing import Annotated

import typer

from .errors import Refused
from .settings import LAPTOP, Settings, option

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Environment = Annotated[str, typer.Option(help="An environment of config/gates.yaml.")]
Source = Annotated[str, typer.Option(help="Rows to train on; empty: what config/data.yaml names.")]

Reason = Annotated[str, typer.Option(help="Why, in a few words; the record keeps it.")]


@app.command()
def pipeline(environment: Environment = LAPTOP, source: Source = "") -> None:
    """Train a candidate: all steps in order, in this process."""
    from . import pipeline as steps

    steps.run(Settings.load(), environment, source)


@app.command()
def serve(
    environment: Environment = LAPTOP,
    port: Annotated[
        int | None, typer.Option(help="Instead of the port in config/serving.yaml.", min=0, max=65535)
    ] = None,
) -> None:
    """Serve the champion until Ctrl-C; while a server runs, hand over to the newest champion."""
    from .serving import handover

    handover.serve(Settings.load(), environment, port)


@app.command()
def promote(
    environment: Environment = LAPTOP,
    reason: Reason = "",
    bundle: Annotated[str, typer.Option(help="A bundle's id, or how it begins; empty: the challenger.")] = "",
) -> None:
    """Make a bundle the champion."""
    from . import promotion

    settings = Settings.load()
    _print_change(settings, environment, promotion.promote(settings, environment, reason, bundle or None).notes)


@app.command()
def rollback(environment: Environment = LAPTOP, reason: Reason = "") -> None:
    """Make the champion before this one the champion again."""
    from . import promotion

    settings = Settings.load()
    _print_change(settings, environment, promotion.rollback(settings, environment, reason).notes)


@app.command()
def history(environment: Environment = LAPTOP) -> None:
    """Show who promoted and rolled back what, when and why."""
    from . import overview, printing, records
    from .store import Store

    store = Store.open(Settings.load().environment(environment).store_uri)
    printing.console().print(overview.history(records.read(store), environment))


@app.command()
def status(environment: Environment = LAPTOP) -> None:
    """Show champion, challenger, previous and what is served; fail when that is not the champion."""
    from . import overview, printing, promotion
    from .registry import Registry
    from .serving import handover

    settings = Settings.load()
    _print_lines(promotion.recover(settings, environment))
    running = handover.served(settings, environment)
    servers = [overview.Served(f"make serve (port {running.port})", running.bundle)] if running else []
    table, differences = overview.status(Registry(settings.environment(environment)), servers, environment)
    printing.console().print(table)
    if differences:
        raise Refused("; ".join(differences))


@app.command()
def gc(
    environment: Environment = LAPTOP,
    delete: Annotated[bool, typer.Option(help="Delete those older than an hour.")] = False,
) -> None:
    """List the bundles that neither a version nor a record names."""
    from . import overview

    where = Settings.load().environment(environment)
    found = overview.unreferenced(where)
    for unreferenced in found:
        gone = delete and unreferenced.settled
        if gone:
            overview.remove(where, unreferenced)
        print(f"{unreferenced.bundle_id}  {unreferenced.modified:%Y-%m-%d %H:%M} UTC  {'deleted' if gone else 'kept'}")
    print(f"{len(found)} bundles in {where.store_uri} are named by no version and no record")


@app.command()
def predict(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A Parquet or CSV file, gzip or not.")],
    output: Annotated[
        str, typer.Argument(help="Written here: .parquet, .csv or .csv.gz; a file of this name is replaced.")
    ],
    environment: Environment = LAPTOP,
) -> None:
    """Score a table with the champion."""
    # Arrow reads it when it is imported; its own allocator keeps what was freed, a quarter of the peak.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from . import batch

    done = batch.predict(Settings.load(), environment, source, output)
    print(f"{output}: {done.rows} rows, {done.flagged} flagged, by bundle {done.bundle_id}")


def _print_change(settings: Settings, environment: str, notes: list[str]) -> None:
    """A server that runs here goes on with what it has until it is told."""
    from .serving import handover

    _print_lines(notes)
    if handover.served(settings, environment):
        print(f"next: make serve{option(environment)}, so that the running server hands over to it")


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        print(line)


def main() -> None:
    """Run the command line; a refusal is one message on standard error and exit code 1."""
    try:
        app()
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(1)
