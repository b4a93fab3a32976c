"""Each peer's own environment, made from its hashed requirements on first use and again when they change."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
REPORT = """
import importlib.metadata, json, platform, sys
packages = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
print(json.dumps({"Python": platform.python_version()} | packages))
"""


def python(peer: str, build: Path) -> Path:
    """The interpreter of a peer's environment."""
    requirements = PEERS / f"{peer}.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = build / peer
    stamp, interpreter = folder / "requirements.sha256", folder / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == digest:
        return interpreter
    uv = Path(sys.executable).with_name("uv")
    print(f"making the environment of {peer} (first use or new requirements)", flush=True)
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--python",
        interpreter,
        "-r",
        requirements,
    ]
    subprocess.run(install, check=True)
    stamp.write_text(digest)
    return interpreter


def versions(interpreter: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """What is installed there, by asking the environment itself."""
    answer = subprocess.run([interpreter, "-c", REPORT, *packages], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(answer))
