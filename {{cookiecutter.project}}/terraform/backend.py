"""<env>.backend.hcl: where the state of an environment is, as `name = value` lines."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LINE = re.compile(r"^\s*(\w+)\s*=\s*(\"(?:[^\"\\\n]|\\.)*\"|true|false|[0-9]+)\s*(?:#.*)?$")
NEEDED = {
    "s3": ("bucket", "key"),
    "gcs": ("bucket", "prefix"),
    "azurerm": ("storage_account_name", "container_name", "key"),
}
"""What the bootstrap writes of each kind at least."""


def read(file: Path) -> dict[str, Any]:
    """The settings of an <env>.backend.hcl; none when there is no such file. What is no such line, Terraform may judge."""
    return {line[1]: _value(line[2]) for line in map(_LINE.match, _text(file).splitlines()) if line}


def filled(settings: Mapping[str, Any]) -> bool:
    """Whether it says where: as generated for a cloud, it does not yet."""
    return bool(settings) and "" not in settings.values()


def missing(kind: str, settings: Mapping[str, Any]) -> list[str]:
    """What the bootstrap would have written and is not there."""
    return [name for name in NEEDED.get(kind, ()) if name not in settings]


def write(file: Path, settings: Mapping[str, Any]) -> list[str]:
    """Put settings into an <env>.backend.hcl: blank ones are filled in, and what else stands there stays.

    Where another value stands than would be written, nothing is: a line for each is returned.
    """
    there = read(file)
    if differing := [name for name in settings if _plain(there.get(name, "")) not in ("", _plain(settings[name]))]:
        return [f'{name}: is "{_plain(there[name])}", and was made as "{_plain(settings[name])}"' for name in differing]
    width = max(map(len, settings))
    lines = []
    for line in _text(file).splitlines():
        found = _LINE.match(line)
        blank = found is not None and found[1] in settings and there[found[1]] == ""
        lines.append(f"{found[1]:<{width}} = {_hcl(settings[found[1]])}" if found and blank else line)
    lines += [f"{name:<{width}} = {_hcl(value)}" for name, value in settings.items() if name not in there]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return []


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _value(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    try:
        return json.loads(text)
    except ValueError:  # an escape that only HCL has
        return text[1:-1]


def _plain(value: Any) -> str:
    """Outputs of one map are of one type, text: so what is true there is "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hcl(value: Any) -> str:
    return _plain(value) if _plain(value) in ("true", "false") else json.dumps(value)
