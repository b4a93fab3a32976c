"""`make docs`: write docs/reference/configuration.md and metrics.md again from the code that reads and counts."""

import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"

CONFIGURATION = """\
# Configuration

Written by `make docs`; do not edit. These are all keys of `config/*.yaml`: another one is refused, and so is one that
stands twice. `<name>` is a name of your choice.
"""
METRICS = """\
# Metrics

Written by `make docs`; do not edit. The server answers `GET /metrics` on `metrics_port` (`config/serving.yaml`). A
histogram is exported as `_bucket`, `_sum` and `_count`.
"""
STANDARD = """
## Of the process

They come from prometheus_client; those named `process_` on Linux only.

"""

FILES = {
    "data": "Contract",
    "training": "Training",
    "gates": "Gates",
    "serving": "ServingSettings",
    "monitoring": "Monitoring",
}
"""The model of each file in config/, as `settings` knows it."""

TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
RULES = {
    "exclusiveMinimum": "> {}",
    "minimum": "≥ {}",
    "exclusiveMaximum": "< {}",
    "maximum": "≤ {}",
    "minLength": "length ≥ {}",
    "minItems": "entries ≥ {}",
    "minProperties": "entries ≥ {}",
}
"""What JSON Schema says, in words."""

PROCESS = {
    "process_cpu_seconds_total": ("counter", (), "CPU time, in seconds."),
    "process_max_fds": ("gauge", (), "Most file descriptors that it may have open."),
    "process_open_fds": ("gauge", (), "File descriptors that are open."),
    "process_resident_memory_bytes": ("gauge", (), "Resident memory, in bytes."),
    "process_start_time_seconds": ("gauge", (), "When it began, in seconds since 1970."),
    "process_virtual_memory_bytes": ("gauge", (), "Virtual memory, in bytes."),
    "python_gc_collections_total": ("counter", ("generation",), "Runs of the garbage collector."),
    "python_gc_objects_collected_total": ("counter", ("generation",), "Objects that it freed."),
    "python_gc_objects_uncollectable_total": ("counter", ("generation",), "Objects that it could not free."),
    "python_info": (
        "gauge",
        ("version", "implementation", "major", "minor", "patchlevel"),
        "1, with the version of Python.",
    ),
}

Schema = dict[str, Any]


def module(name: str) -> Any:
    """A module of the project's package, however that is called."""
    answers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mlops-template"]["answers"]
    return import_module(f"{answers['package']}.{name}")


def configuration() -> str:
    """The page of the keys: a table for each file."""
    settings, parts = module("settings"), [CONFIGURATION]
    for file, model in FILES.items():
        schema = getattr(settings, model).model_json_schema()
        rows = keys(schema, schema.get("$defs", {}), f"config/{file}.yaml: ")
        parts.append(f"\n## config/{file}.yaml\n\n{table(('key', 'type', 'rule', 'default', 'meaning'), rows)}")
    return "".join(parts)


def metrics() -> str:
    """The page of the metrics: our own, then those of the process."""
    head = ("name", "type", "labels", "meaning")
    own, process = (
        table(head, ((f"`{name}`", kind, code(labels), meaning) for name, (kind, labels, meaning) in each.items()))
        for each in (module("serving.observe").METRICS, PROCESS)
    )
    return f"{METRICS}\n{own}{STANDARD}{process}"


def keys(schema: Schema, models: dict[str, Schema], file: str, above: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each key, those of a mapping below it."""
    for name, field in schema["properties"].items():
        key, model = above + name, model_of(field, models)
        meaning = field.get("description") or model.get("description")
        if not meaning:
            sys.exit(f"refused: {file}{key}: it has no meaning: give it one in the code, Field(description=...)")
        required = name in schema.get("required", ())
        yield f"`{key}`", kind_of(field), rule_of(field), default_of(field, required), meaning
        entry = model_of(field.get("additionalProperties", {}), models)
        for inner, place in ((model, f"{key}."), (entry, f"{key}.<name>.")):
            if inner:
                yield from keys(inner, models, file, place)


def model_of(field: Schema, models: dict[str, Schema]) -> Schema:
    """The model that a mapping must follow; empty for anything else."""
    return models[field["$ref"].rpartition("/")[2]] if "$ref" in field else {}


def kind_of(field: Schema) -> str:
    """The type in words."""
    if "anyOf" in field:
        words = [kind_of(option) for option in alternatives(field)]
        return " or ".join(word for word in dict.fromkeys(words) if word != "whole number" or "number" not in words)
    if field.get("type") == "array":
        return f"list of {kind_of(field['items'])}"
    return TYPES[field.get("type", "object")]


def rule_of(field: Schema) -> str:
    """Bounds and choices in words; what depends on other keys stands in the meaning."""
    found = []
    for option in alternatives(field):
        found += [words.format(option[name]) for name, words in RULES.items() if name in option]
        choices = option.get("enum") or ([option["const"]] if "const" in option else [])
        found += [f"one of {code(choices)}"] if choices else []
        if rule := rule_of(option["items"]) if "items" in option else "":
            found.append(f"each {rule}")
    return ", ".join(found)


def default_of(field: Schema, required: bool) -> str:
    if required:
        return "required"
    value = field["default"]
    return "may be left out" if value is None else code([json.dumps(value)])


def alternatives(field: Schema) -> list[Schema]:
    """What a value may be, but for null: that is a key that is left out."""
    return [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    first, *rest = (f"| {' | '.join(line)} |\n" for line in lines)
    return f"{first}|{'---|' * len(head)}\n{''.join(rest)}"


PAGES: dict[str, Callable[[], str]] = {"configuration.md": configuration, "metrics.md": metrics}
"""Every page that is written, and what gives its text."""


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, text in PAGES.items():
        (FOLDER / page).write_text(text(), encoding="utf-8")
