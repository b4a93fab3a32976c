"""validate.py VERSION DEFINITIONS FILES: check every object of the files, and print `valid KIND NAME` for each.

Kubernetes' own kinds are checked by their published schemas, others by the CustomResourceDefinitions in the folder. It
runs in the environment of the policy tools, which has both.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

Schema = dict[str, Any]


class Loader(yaml.CSafeLoader):  # type: ignore[misc]  # it ships no types
    """Reads `=` as text: an operator in some definition, and a special word of YAML 1.1."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def definitions(folder: Path) -> dict[tuple[str, str], Schema]:
    """The schema of each custom resource by its apiVersion and kind."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        for each in yaml.load_all(file.read_text(encoding="utf-8"), Loader):
            spec = each["spec"]
            for version in spec["versions"]:
                schema = closed(version["schema"]["openAPIV3Schema"])
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def closed(schema: Schema) -> Schema:
    """The schema, but a field that it does not know is an error: the API server would drop it."""
    made = dict(schema)
    if "(?i)" in schema.get("pattern", ""):
        made["pattern"] = "(?i)" + schema["pattern"].replace("(?i)", "")  # Go allows it in the middle, Python does not
    if "properties" in schema:
        made["properties"] = {name: closed(each) for name, each in schema["properties"].items()}
        made["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if isinstance(schema.get("items"), dict):
        made["items"] = closed(schema["items"])
    return made


def objects(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.load_all(file.read_text(encoding="utf-8"), Loader)


def main(version: str, folder: str, *files: str) -> None:
    custom = definitions(Path(folder))
    for each in objects(list(map(Path, files))):
        schema = custom.get((each["apiVersion"], each["kind"]))
        if schema:
            jsonschema.validate(each, schema)
        else:
            kubernetes_validate.validate(each, version, strict=True)
        print("valid", each["kind"], each["metadata"]["name"])


if __name__ == "__main__":
    main(*sys.argv[1:])
