"""The training pipeline: which step follows which, and what each task may use."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp import compiler, dsl
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from {{ cookiecutter.package }}.settings import LAPTOP

from . import components, pods

CPU_REQUEST, CPU_LIMIT = "500m", "2"
MEMORY_REQUEST, MEMORY_LIMIT = "1Gi", "2Gi"
RETRIES = 2  # of what the cluster broke; a step that refuses does so again
BACKOFF = "30s"
# The others look at or change what is outside (rows behind an address, the champion, the store, the registry): pods.equip.
CACHED = ("validate", "split", "train", "export")

IR, MANIFEST = "training.yaml", "training.kubernetes.yaml"


def local_image(project: str) -> str:
    """What stands for an image while none is given; kfp.local warns unless the name says python."""
    return f"{project}-python"


def write(project: str, image: str, folder: Path) -> None:
    """Write the compiled pipeline, and the same as the Kubernetes resources Pipeline and PipelineVersion."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = training(project, image)
    compiler.Compiler().compile(pipeline, str(folder / IR))
    # A PipelineVersion cannot change: another content gets another name.
    content = hashlib.sha256((folder / IR).read_bytes()).hexdigest()
    options = KubernetesManifestOptions(
        pipeline_name=pipeline.name,
        pipeline_version_name=f"{pipeline.name}-{content[:12]}",
        include_pipeline_manifest=True,
    )
    compiler.Compiler().compile(
        pipeline,
        str(folder / MANIFEST),
        kubernetes_manifest_format=True,
        kubernetes_manifest_options=options,
    )


def training(project: str, image: str) -> Any:
    """The pipeline, its tasks in this image. Promotion is no step: it needs a reason, and sometimes a second person.

    Its arguments: the environment that it trains for, the rows, and who it is that trains where a pod cannot know.
    """
    task = _task_in(image, project)

    def pipeline(environment: str = LAPTOP, source: str = "", author: str = "") -> None:
        load = task(components.load, source=source)
        data = load.outputs["data"]
        validate = task(components.validate, data=data)
        split = task(components.split, data=data).after(validate)
        rows = {"evaluation": split.outputs["evaluation"]}
        train = task(components.train, training=split.outputs["training"])
        model = {"model": train.outputs["model"]}
        evaluate = task(components.evaluate, environment=environment, **model, **rows)
        export = task(components.export, **model, **rows).after(evaluate)
        found = {**model, "report": evaluate.outputs["report"], "exported": export.outputs["exported"]}
        judge = task(components.judge, environment=environment, validated=validate.outputs["validated"], **found)
        judged = {"judged": judge.outputs["judged"]}
        with dsl.If(judge.outputs["Output"] == True):  # noqa: E712  kfp builds its condition from `==`
            bundle = task(
                components.bundle,
                author=author,
                data_hash=load.outputs["Output"],
                training=split.outputs["training"],
                **rows,
                **found,
                **judged,
            )
            made = {"bundle": bundle.outputs["bundle"]}
            publish = task(components.publish, environment=environment, **made)
            task(components.register, environment=environment, uri=publish.output, **made, **judged)
        with dsl.Else():
            task(components.refuse, **judged)

    return dsl.pipeline(pipeline, name=f"{project}-training")


def _task_in(image: str, project: str) -> Callable[..., Any]:
    def task(component: Any, **inputs: Any) -> Any:
        made = component(**inputs).set_container_image(image)
        made.set_cpu_request(CPU_REQUEST).set_cpu_limit(CPU_LIMIT)
        made.set_memory_request(MEMORY_REQUEST).set_memory_limit(MEMORY_LIMIT)
        made.set_retry(RETRIES, backoff_duration=BACKOFF, backoff_factor=2.0)
        cached = made.component_spec.name in CACHED
        made.set_caching_options(cached)
        pods.confine(made, project)
        if not cached:
            pods.equip(made)
        return made

    return task
