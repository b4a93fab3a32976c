"""machine.sh: what the tests need beyond Kubernetes."""

import subprocess
from pathlib import Path

import pytest
from conftest import inherited

_MACHINE = Path(__file__).resolve().parent / "machine.sh"


def machine(hook: str, *words: str | Path) -> str:
    """Call a hook and give what it prints."""
    done = subprocess.run(
        [_MACHINE, hook, *map(str, words)], text=True, capture_output=True, check=False, env=inherited()
    )
    assert done.returncode == 0, f"machine.sh {hook} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout.strip()


def has(hook: str) -> bool:
    """Whether this machine knows how that is done."""
    return subprocess.run([_MACHINE, "has", hook], check=False, capture_output=True).returncode == 0


def needs(hook: str) -> pytest.MarkDecorator:
    """Skip a case by name where a hook is missing."""
    return pytest.mark.skipif(
        not has(hook), reason=f"tests/e2e/machine.sh has no hook {hook}: give it for this machine"
    )
