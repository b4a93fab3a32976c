"""<env>.backend.hcl: where the state of an environment is, as `name = value` lines."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LINE = re.compile(r"^\s*(\w+)\s*=\s*(\"[^\"]*\"|true|false|[0-9]+)\s*(?:#.*)?$", re.MULTILINE)


def read(file: Path) -> dict[str, Any]:
    """The settings of an <env>.backend.hcl; none when there is no such file."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return {name: json.loads(value) for name, value in _LINE.findall(text)}


def filled(settings: Mapping[str, Any]) -> bool:
    """Whether it says where: as generated for a cloud, it does not yet."""
    return bool(settings) and "" not in settings.values()


def write(file: Path, settings: Mapping[str, Any]) -> None:
    """Write an <env>.backend.hcl; the comments at its head stay."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    head = [line for line in text.splitlines() if line.startswith("#")]
    width = max(map(len, settings))
    lines = [f"{name:<{width}} = {_hcl(value)}" for name, value in settings.items()]
    file.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def _hcl(value: Any) -> str:
    """Outputs of one map are of one type, text: what is true or false is written as such."""
    return value if value in ("true", "false") else json.dumps(value)
