import os
import shutil
import subprocess
import sys
from pathlib import Path

import sample_project


def copy_project(copy: Path) -> Path:
    """Write what a training reads: no artifacts, no repository."""
    copy.mkdir()
    for folder in ("pipelines", "src"):
        source = sample_project.PROJECT / folder
        shutil.copytree(source, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return sample_project.write(copy)


def python(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a project; on one thread, since tests share the machine."""
    path = os.pathsep.join(filter(None, [environment.pop("EXTRA_PATH", ""), str(project / "src")]))
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
