"""The steps of a model's life as commands. What a user can mend is said in a sentence; the exit code is then 1."""

import os
import sys
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from . import advice, command_line
from .command_line import Environment, Source
from .errors import Refused, interruptible
from .settings import LAPTOP, Settings

app = command_line.new(__doc__)

Context = Annotated[str, typer.Option(help="Of a cluster: the kubeconfig's context; empty: the current one.")]
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
    from . import places
    from .serving import handover

    settings = Settings.load()
    places.require_here(settings, environment, "its own servers serve it; make smoke asks them")
    handover.serve(settings, environment, port)


@app.command()
def promote(
    environment: Environment = LAPTOP,
    reason: Reason = "",
    bundle: Annotated[str, typer.Option(help="A bundle's id, or how it begins; empty: the challenger.")] = "",
    context: Context = "",
) -> None:
    """Make a bundle the champion."""
    from . import places, promotion

    settings = Settings.load()
    with _changing(settings, environment, context), places.reached(settings, environment, context) as place:
        promoted = promotion.promote(settings, environment, reason, bundle or None, place.target())
        _print_lines([*promoted.notes, *place.after_change()])


@app.command()
def rollback(environment: Environment = LAPTOP, reason: Reason = "", context: Context = "") -> None:
    """Make the champion before this one the champion again."""
    from . import places, promotion

    settings = Settings.load()
    with _changing(settings, environment, context), places.reached(settings, environment, context) as place:
        promoted = promotion.rollback(settings, environment, reason, place.target())
        _print_lines([*promoted.notes, *place.after_change()])


@app.command()
def history(environment: Environment = LAPTOP, context: Context = "") -> None:
    """Show who promoted and rolled back what, when and why."""
    from . import overview, places, printing, records
    from .store import Store

    settings = Settings.load()
    with places.reached(settings, environment, context):
        attempts = records.read(Store.open(settings.environment(environment).store_uri))
    printing.console().print(overview.history(attempts, environment))


@app.command()
def status(environment: Environment = LAPTOP, context: Context = "") -> None:
    """Show champion, challenger, previous and what is served; fail when that is not the champion."""
    from . import overview, places, printing, promotion
    from .registry import Registry

    settings = Settings.load()
    problems = []
    with places.reached(settings, environment, context) as place:
        try:
            _print_lines(promotion.recover(settings, environment, place.target()))
        except Refused as problem:  # who looks is shown what there is all the more
            problems.append(str(problem))
        registry = Registry(settings.environment(environment))
        try:
            served = place.served()
        except Refused as problem:
            served, problems = [], problems or [str(problem)]  # the first is the reason of both
        table, differences = overview.status(registry, served, environment)
        if differences:
            champion = registry.champion()
            remedy = place.remedy(champion.bundle_id if champion else None, served)
            problems.append(f"{'; '.join(differences)}: {remedy}")
    printing.console().print(table)
    if problems:
        sys.stdout.flush()  # the table first, also into a file
        raise Refused("\n".join(problems))


@app.command()
def gc(
    environment: Environment = LAPTOP,
    delete: Annotated[bool, typer.Option(help="Delete those older than an hour.")] = False,
    context: Context = "",
) -> None:
    """List the bundles that neither a version nor a record names."""
    from . import overview, places

    settings = Settings.load()
    with places.reached(settings, environment, context):
        where = settings.environment(environment)
        found = overview.unreferenced(where)
        for each in found:
            gone = delete and each.settled
            if gone:
                overview.remove(where, each)
            print(f"{each.bundle_id}  {each.modified:%Y-%m-%d %H:%M} UTC  {'deleted' if gone else 'kept'}")
    print(f"{len(found)} bundles in {where.store_uri} are named by no version and no record")


@app.command()
def predict(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A Parquet or CSV file, gzip or not.")],
    output: Annotated[
        str, typer.Argument(help="Written here: .parquet, .csv or .csv.gz; a file of this name is replaced.")
    ],
    environment: Environment = LAPTOP,
    context: Context = "",
) -> None:
    """Score a table with the champion."""
    # Arrow reads it when it is imported; its own allocator keeps what was freed, a quarter of the peak.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from . import batch, places

    settings = Settings.load()
    with places.reached(settings, environment, context):
        done = batch.predict(settings, environment, source, output)
    print(f"{output}: {done.rows} rows, {done.flagged} flagged, by bundle {done.bundle_id}")


def _changing(settings: Settings, environment: str, context: str) -> AbstractContextManager[None]:
    """What is to be done when a change of the champion is interrupted."""
    settings.environment(environment)  # refused by name when there is none
    return interruptible(
        f"make status{advice.where(settings, environment, context)} completes or reverts what is left open"
    )


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        print(line)
