"""`make bench`: measure every row, print it, write docs/reference/performance.md; exit 1 when a bound is missed.

The page is written only by a whole run on a quiet machine; `--only` and `--preliminary` print and leave it alone.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import machine, measure, page
from .clients import clients
from .environments import versions
from .load import Failed
from .project import BUILD, ROOT, Project, make, release
from .rows import ROWS, Figure, figures
from .servers import interpreters, servers

PAGE = ROOT / "docs" / "reference" / "performance.md"
PARTS = ("generate", "pipeline", "serving", "batch", "test")
SHOWN = {
    "fastapi_joblib": ("fastapi", "pydantic", "uvicorn", "pandas", "scikit-learn", "joblib"),
    "fastapi_onnx": ("fastapi", "pydantic", "uvicorn", "onnxruntime"),
    "mlserver_onnx": ("mlserver", "fastapi", "uvicorn", "onnxruntime"),
    "ours": ("msgspec", "uvicorn", "onnxruntime", "scikit-learn", "kfp", "mlflow-skinny"),
}


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure every row of docs/reference/performance.md.")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="measure these parts; no page")
    parser.add_argument("--preliminary", action="store_true", help="measure on a loaded machine too; no page")
    parser.add_argument("--project", type=Path, help="measure this generated, trained and promoted project; no page")
    parser.add_argument(
        "--python", type=Path, default=ROOT / "build" / "venv" / "bin" / "python", help="its interpreter"
    )
    return parser.parse_args(given)


def run(chosen: argparse.Namespace) -> page.Measured:
    """All the chosen measurements."""
    found, parts = page.Measured(), chosen.only
    calm = (lambda: None) if chosen.preliminary else machine.settle
    if "generate" in parts:
        found.samples |= measure.generation(calm)
    needed = {"pipeline", "serving", "batch"} & set(parts)
    project = (Project(chosen.project, chosen.python) if chosen.project else make(chosen.python)) if needed else None
    if project and "pipeline" in parts:
        found.add_pipeline(measure.pipeline(project, calm))
    if project and {"serving", "batch"} & needed:
        model = project.prepare()
        if "serving" in parts:
            asked = json.loads((model / "requests.json").read_text())
            started = servers(project, model)
            found.add_serving(measure.serving(started, clients(model), asked["scores"], calm))
            found.samples |= measure.readiness(started[-1], calm)
        if "batch" in parts:
            found.add_batch(measure.batch(project, model, calm))
        found.versions = {name: versions(python, SHOWN[name]) for name, python in interpreters(project).items()}
    if "test" in parts:
        found.samples |= measure.tests(calm)
        found.cluster = measure.cluster()
    return found


def conclude(measured: Sequence[Figure], whole: bool) -> int:
    """Say which bounds are missed; 1 when one is, or when a whole run did not measure a row."""
    missed = [figure.row.what for figure in measured if not figure.met]
    unmeasured = [row.what for row in ROWS if row.key not in {figure.row.key for figure in measured}] if whole else []
    for what in missed:
        print(f"missed: {what}")
    for what in unmeasured:
        print(f"not measured: {what}")
    return 1 if missed or unmeasured else 0


def main(given: Sequence[str]) -> int:
    """Measure, print, decide, write."""
    chosen = arguments(given)
    reason = machine.quiet()
    if reason and not chosen.preliminary:
        print(
            f"refused: {reason}: wait until the machine is idle, or see figures without a page: --preliminary",
            file=sys.stderr,
        )
        return 1
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        found = run(chosen)
    except (machine.Loaded, Failed, RuntimeError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    whole = not (chosen.preliminary or chosen.project or set(chosen.only) != set(PARTS))
    facts = page.Facts(release(), f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", machine.description())
    text = page.render(found, facts)
    print(text)
    code = conclude(figures(found.samples), whole)
    if whole:
        PAGE.write_text(text)
        print(f"written: {PAGE.relative_to(ROOT)}")
    else:
        print("a partial or preliminary run: the page is left as it is")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
