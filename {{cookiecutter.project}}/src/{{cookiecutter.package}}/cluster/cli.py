"""What is done to a cluster. What a user can mend is said in a sentence; the exit code is then 1."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .. import command_line
from ..command_line import Source
from ..errors import Refused

if TYPE_CHECKING:
    from .place import Namespace

app = command_line.new(__doc__)

Environment = Annotated[
    str, typer.Option(help="An environment of config/gates.yaml that has a folder in k8s/overlays.")
]
Context = Annotated[str, typer.Option(help="The kubeconfig's context; empty: the current one.")]


@app.command()
def image(
    container: Annotated[
        str, typer.Option(help="docker, podman or buildah, with options or without; empty: the first that answers.")
    ] = "",
    build_options: Annotated[str, typer.Option(help="More options of its `build`.")] = "",
    load: Annotated[str, typer.Option(help="A command that takes an archive into the nodes.")] = "",
    push: Annotated[str, typer.Option(help="A registry; empty: the environment's own.")] = "",
    images: Annotated[str, typer.Option(help="Only these of serving, pipeline, mlflow.")] = "",
    environment: Environment = "local",
) -> None:
    """Build the images, and load or push them."""
    from ..settings import Settings
    from . import images as building
    from . import overlay
    from .builders import Builder

    settings = Settings.load()
    registry = overlay.read(settings, environment).registry
    delivery = building.Delivery.of(load, push, registry, environment)
    building.make(settings, environment, Builder.find(container, build_options), delivery, images)


@app.command()
def platform(
    folder: Annotated[
        str, typer.Option(help="A kustomization of your own that has k8s/platform as its base.")
    ] = "k8s/platform",
    environment: Environment = "local",
    context: Context = "",
) -> None:
    """Bring up what all environments of a cluster share."""
    from pathlib import Path

    from ..settings import Settings
    from . import platform as installing
    from .place import connected

    settings = Settings.load()
    print(installing.install(connected(settings, environment, context), settings, environment, Path(folder)))


@app.command()
def deploy(environment: Environment = "local", context: Context = "") -> None:
    """Apply the manifests, never the model."""
    from . import deploying

    print(deploying.deploy(_place(environment, context)))


@app.command("pipeline-run")
def pipeline_run(source: Source = "", environment: Environment = "local", context: Context = "") -> None:
    """Train in the cluster."""
    from . import training

    training.run(_place(environment, context), source)


@app.command()
def smoke(environment: Environment = "local", context: Context = "") -> None:
    """Ask the Service for the champion's golden answer."""
    from ..settings import Settings
    from . import smoke as asking
    from .place import reached

    with reached(Settings.load(), environment, context) as place:
        print(asking.smoke(place))


@app.command("api-key")
def api_key(
    name: Annotated[str, typer.Option(help="Whose key.")] = "",
    revoke: Annotated[bool, typer.Option(help="Make it invalid.")] = False,
    environment: Environment = "local",
    context: Context = "",
) -> None:
    """Give out a key, shown once, or revoke one."""
    from . import api_keys

    place = _place(environment, context)
    if revoke:
        soon = api_keys.revoke(place, name)
        print(f"the key of {name} is invalid in {environment} as soon as the pods have the new file: {soon}")
        return
    key, soon = api_keys.give(place, name)
    print(f"the key of {name}, valid in {environment} {soon}; it is shown once:", file=sys.stderr)
    print(key)


@app.command()
def backup(
    output: Annotated[str, typer.Option(help="A new folder; empty: backups/<project>-<environment>-<time>.")] = "",
    environment: Environment = "local",
    context: Context = "",
) -> None:
    """Save bundles, records, versions and the registry's database."""
    from datetime import UTC, datetime
    from pathlib import Path

    from ..settings import Settings
    from . import backup as saving
    from .place import reached

    if output:
        saving.require_new(Path(output))
    with reached(Settings.load(), environment, context) as place:
        name = f"{place.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        print(saving.backup(place, Path(output) if output else place.settings.root / "backups" / name))


@app.command()
def restore(
    source: Annotated[str, typer.Option(metavar="FOLDER", help="The folder of a backup.")] = "",
    environment: Environment = "local",
    context: Context = "",
) -> None:
    """Bring back what is missing, and serve the champion."""
    from pathlib import Path

    from ..settings import Settings
    from . import backup as saving
    from .place import reached

    if not source:
        raise Refused("INPUT= is required: the folder that make backup wrote")
    with reached(Settings.load(), environment, context) as place:
        print(saving.restore(place, Path(source)))


@app.command("clean-cluster")
def clean_cluster(
    confirm: Annotated[str, typer.Option(help="The namespace's name.")] = "",
    environment: Environment = "local",
    context: Context = "",
) -> None:
    """Remove the environment's namespace."""
    from . import cleaning

    print(cleaning.clean(_place(environment, context), confirm))


def _place(environment: str, context: str) -> "Namespace":
    from ..settings import Settings
    from .place import found

    return found(Settings.load(), environment, context)
