import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copy_project(copy: Path) -> Path:
    """Copy what a training reads: no artifacts, no repository."""
    for folder in ("config", "pipelines", "samples", "src"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def python(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a project; on one thread, since tests share the machine."""
    path = os.pathsep.join(filter(None, [environment.pop("EXTRA_PATH", ""), str(project / "src")]))
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
