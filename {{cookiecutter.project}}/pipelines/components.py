"""One thin component per step of the package. Kubeflow reads the annotations as objects: never postpone them."""

from functools import partial
from typing import Any

from kfp import dsl

# training.py sets the image of each task; kfp is installed in it, so a task installs nothing.
component: Any = partial(dsl.component, base_image="python", install_kfp_package=False)


@component
def load(source: str, data: dsl.Output[dsl.Dataset]) -> str:
    """Read the source into one file; returns the hash of its content."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    return steps.load(Settings.load().checked(), data.path, source)


@component
def validate(data: dsl.Input[dsl.Dataset], validated: dsl.Output[dsl.Artifact]) -> None:
    """Check every row against the data contract."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    steps.validate(Settings.load(), data.path, validated.path)


@component
def split(
    data: dsl.Input[dsl.Dataset],
    training: dsl.Output[dsl.Dataset],
    evaluation: dsl.Output[dsl.Dataset],
) -> None:
    """Part the labelled rows by time."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    steps.split(Settings.load(), data.path, training.path, evaluation.path)


@component
def train(training: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]) -> None:
    """Fit the model."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    steps.train(Settings.load(), training.path, model.path)


@component
def evaluate(
    environment: str,
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Dataset],
    report: dsl.Output[dsl.Artifact],
) -> None:
    """Measure the model, and the environment's champion on the same rows."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    steps.evaluate(Settings.load(), environment, model.path, evaluation.path, report.path)


@component
def export(
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Dataset],
    exported: dsl.Output[dsl.Model],
) -> None:
    """Convert the model to ONNX and compare the two."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    steps.export(Settings.load(), model.path, evaluation.path, exported.path)


@component
def judge(
    environment: str,
    validated: dsl.Input[dsl.Artifact],
    model: dsl.Input[dsl.Model],
    report: dsl.Input[dsl.Artifact],
    exported: dsl.Input[dsl.Model],
    judged: dsl.Output[dsl.Artifact],
) -> bool:
    """Ask every gate and record all verdicts; true when none refuses."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    paths = (validated.path, model.path, report.path, exported.path, judged.path)
    return steps.judge(Settings.load(), environment, *paths)


@component
def refuse(judged: dsl.Input[dsl.Artifact]) -> None:
    """Fail with what the gates said: a refused candidate is a failed run, not a green one with steps left out."""
    from pathlib import Path

    from {{ cookiecutter.package }} import pipeline, reports, steps

    raise pipeline.refusal(reports.read(Path(judged.path) / steps.JUDGED, reports.Judged))


@component
def bundle(
    author: str,
    data_hash: str,
    training: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    report: dsl.Input[dsl.Artifact],
    exported: dsl.Input[dsl.Model],
    judged: dsl.Input[dsl.Artifact],
    bundle: dsl.Output[dsl.Artifact],
) -> str:
    """Write the model as files; returns the bundle's id."""
    import os

    from {{ cookiecutter.package }} import lineage, steps
    from {{ cookiecutter.package }}.settings import Settings

    if author:  # else the trainer would be the pod's account, and nobody could tell whether a second person approves
        os.environ["GIT_AUTHOR_NAME"], os.environ["GIT_AUTHOR_EMAIL"] = lineage.name_and_mail(author)
    inputs = (training.path, evaluation.path, model.path, report.path, exported.path, judged.path)
    return steps.bundle(Settings.load(), data_hash, *inputs, bundle.path)


@component
def publish(environment: str, bundle: dsl.Input[dsl.Artifact]) -> str:
    """Put the bundle into the object store; returns its address."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    return steps.publish(Settings.load(), environment, bundle.path)


@component
def register(
    environment: str,
    uri: str,
    bundle: dsl.Input[dsl.Artifact],
    judged: dsl.Input[dsl.Artifact],
) -> str:
    """Make the bundle a version of the model and its challenger; returns the version's number."""
    from {{ cookiecutter.package }} import steps
    from {{ cookiecutter.package }}.settings import Settings

    return steps.register(Settings.load(), environment, uri, bundle.path, judged.path)
