"""`make requirements`: pin the tools, the emulator of Azure's store, the peers of bench/, the images and every project's packages, and list the names they take.

A default project is generated, pins itself with its own script, and the result is copied back into the template.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SKELETON = ROOT / "{{cookiecutter.project}}"
HOOK = ROOT / "hooks" / "pre_gen_project.py"
TOOLS = Path(sys.executable).parent
WIDTH = 120

# Python's own tests are installed with it, and its list leaves them out.
OWN = "import sys; print('test', *sys.stdlib_module_names)"
INSTALLED = "import importlib.metadata; print(*importlib.metadata.packages_distributions())"


def names(python: str | Path, question: str) -> set[str]:
    """Modules of this Python, or of the packages installed beside it, that a package of the same name would hide."""
    listed = subprocess.run([python, "-c", question], text=True, capture_output=True, check=True).stdout.split()
    return {name.lower() for name in listed if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,29}", name)}


def listed_in_hook() -> set[str]:
    return set(re.findall(r'MODULES = frozenset\(\s+"""(.*?)"""', HOOK.read_text(), re.DOTALL)[0].split())


def write_into_hook(taken: set[str]) -> None:
    lines, line = [], "   "
    for name in sorted(taken):
        if len(line) + 1 + len(name) > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {name}"
    block = "\n".join([*lines, line])
    text = re.sub(r'(MODULES = frozenset\(\s+""").*?(    """)', rf"\1\n{block}\n\2", HOOK.read_text(), flags=re.DOTALL)
    HOOK.write_text(text)


def pin(file: Path, *source: str | Path) -> None:
    """Write hashed pins for all platforms; what the file has stays unless UPGRADE is set."""
    command: list[str | Path] = [TOOLS / "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += [
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
        *source,
        "--output-file",
        file,
    ]
    subprocess.run([*command, *(["--upgrade"] if os.environ.get("UPGRADE") else [])], cwd=ROOT, check=True)


def pin_tools() -> None:
    for group in ("tools", "policy", "terraform"):
        file = ROOT / "requirements" / f"{group}.txt"
        sizes = file.read_text().partition("\n")[0]
        pin(file, "--group", f"pyproject.toml:{group}")
        file.write_text(f"{sizes}\n{file.read_text()}")


def pin_peers() -> None:
    """The servers that bench/ compares with, each in an environment of its own."""
    for source in sorted((ROOT / "bench" / "peers").glob("*.in")):
        pin(source.with_suffix(".txt"), source)


def pin_azurite() -> None:
    """What npm installs for tests/terraform; without the addresses it would come from."""
    command = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved"]
    subprocess.run(command, cwd=ROOT / "requirements" / "azurite", check=True)


def pin_images() -> None:
    """What goes into the images that are built from packages: the platform's, and those that stand in for others in tests."""
    for folder in (ROOT / "k8s", ROOT / "tests" / "e2e"):
        for source in sorted(folder.rglob("requirements.in")):
            pin(source.with_suffix(".txt"), source)


def pin_projects() -> Path:
    """Return the Python of an environment with everything that a project installs."""
    build = ROOT / "build" / "requirements"
    shutil.rmtree(build, ignore_errors=True)
    bake: list[str | Path] = [TOOLS / "cookiecutter", "--no-input", "--default-config", "--output-dir", build, ROOT]
    subprocess.run(bake, check=True)
    (project,) = build.iterdir()
    venv = ROOT / "build" / "venv"
    subprocess.run(["sh", "make/pin.sh", TOOLS / "uv"], cwd=project, check=True)
    subprocess.run(["make", "-C", project, "setup", f"VENV={venv}"], check=True)
    for file in (project / "requirements").glob("*.txt"):
        shutil.copyfile(file, SKELETON / "requirements" / file.name)
    return venv / "bin" / "python"


def standard_library() -> set[str]:
    """The modules of every Python that the template supports."""
    taken = set()
    for version in ("3.11", "3.12", "3.13"):
        find = subprocess.run([TOOLS / "uv", "python", "find", version], text=True, capture_output=True, check=False)
        if find.returncode:
            sys.exit(f"refused: Python {version} was not found, its modules are needed: uv python install {version}")
        taken |= names(find.stdout.strip(), OWN)
    return taken


def main() -> None:
    taken = standard_library()
    pin_tools()
    pin_azurite()
    pin_peers()
    pin_images()
    write_into_hook(taken | names(pin_projects(), INSTALLED))


if __name__ == "__main__":
    main()
