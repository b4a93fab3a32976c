"""`python -m pipelines run|compile|submit|schedule`"""

import socket
from pathlib import Path
from typing import Annotated

import typer

from {{ cookiecutter.package }} import (
    advice,
    command_line,
    lineage,
    pipeline,
    places,
    printing,
    reports,
    staging,
    steps,
)
from {{ cookiecutter.package }}.command_line import Environment, Source
from {{ cookiecutter.package }}.errors import Refused, run_program
from {{ cookiecutter.package }}.settings import LAPTOP, Settings

from . import client, runner, training

app = command_line.new("The training as a Kubeflow pipeline: on this machine, or on a server.")

Image = Annotated[str, typer.Option(envvar="IMAGE", help="The image of the tasks, by digest.")]
Folder = Annotated[Path, typer.Option(help="Where the files go.")]
Host = Annotated[str, typer.Option(envvar="KF_PIPELINES_ENDPOINT", help="Address of the Kubeflow Pipelines server.")]
Token = Annotated[str, typer.Option(envvar="KF_PIPELINES_TOKEN", help="Bearer token for that server, if it wants one.")]
Cron = Annotated[str, typer.Option(envvar="CRON", help="When, in UTC: six fields, seconds first.")]


@app.command()
def run(environment: Environment = LAPTOP, source: Source = "") -> None:
    """Train a candidate: compile the pipeline, and execute what was compiled."""
    settings = Settings.load().checked()
    # Refused before anything is written.
    places.require_here(settings, environment, f"{advice.training(settings, environment)} trains there")
    folder = pipeline.new_run(settings)
    training.write(settings.project, training.local_image(settings.project), folder)
    console = printing.console()
    try:
        with console.status("") as status:
            runner.run(folder / training.IR, {"environment": environment, "source": source}, folder, status.update)
    except runner.RunnerWarning as warning:
        raise Refused(f"kfp warned, so the run may be incomplete: {warning}") from None
    except runner.TaskFailed as failed:
        if str(failed) == "refuse":
            pipeline.show(console, _judged(folder))
        said = runner.refusal(folder) or f"the step {failed} failed: {folder / runner.LOG} holds what it said"
        raise Refused(said) from None
    bundle, uri, version = (runner.output(folder, task) for task in ("bundle", "publish", "register"))
    pipeline.show(console, _judged(folder))
    pipeline.show_next(console, settings, environment, pipeline.Registered(bundle, uri, version))


@app.command("compile")
def compile_(image: Image = "", output: Folder = Path("artifacts/pipeline")) -> None:
    """Write what Kubeflow takes: the pipeline's YAML, and the same as Kubernetes resources."""
    project = Settings.load().project
    training.write(project, client.check_image(image) if image else training.local_image(project), output)
    for name in (training.IR, training.MANIFEST):
        typer.echo(output / name)


@app.command()
def submit(
    environment: Environment, image: Image = "", host: Host = "", token: Token = "", source: Source = ""
) -> None:
    """Start one run on a Kubeflow Pipelines server."""
    settings, server = _server(environment, image, host, token)
    with staging.scratch(settings.artifacts) as folder, client.answered(server.host):
        training.write(settings.project, image, folder)
        typer.echo(f"run {server.submit(folder / training.IR, source, _author(settings))}")


@app.command()
def schedule(
    environment: Environment, cron: Cron, image: Image = "", host: Host = "", token: Token = "", source: Source = ""
) -> None:
    """Make this the environment's one schedule on a Kubeflow Pipelines server."""
    client.check_cron(cron)
    settings, server = _server(environment, image, host, token)
    with staging.scratch(settings.artifacts) as folder, client.answered(server.host):
        training.write(settings.project, image, folder)
        typer.echo(f"schedule {server.schedule(folder / training.IR, cron, source)}")


def _server(environment: str, image: str, host: str, token: str) -> tuple[Settings, client.Server]:
    settings = Settings.load()
    settings.environment(environment)
    client.check_image(image)
    return settings, client.Server(host, settings.project, environment, token or None)


def _author(settings: Settings) -> str:
    """Who submits, as approvals know people; an account of this machine is told from those of others by the host."""
    name, mail = lineage.name_and_mail(lineage.person(settings.root))
    return f"{name} <{mail or f'{name}@{socket.gethostname()}'}>"


def _judged(folder: Path) -> reports.Judged:
    return reports.read(runner.artifact(folder, "judge", "judged") / steps.JUDGED, reports.Judged)


if __name__ == "__main__":
    run_program(app)
