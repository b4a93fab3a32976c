"""The rules and dashboards as they are shipped, and the names that stand in their queries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from conftest import ROOT, run
from ruamel.yaml import YAML

COMPONENT = ROOT / "k8s" / "components" / "monitoring"
IMAGES = ROOT / "tests" / "e2e" / "images"
RULES = {path.parent.name: YAML(typ="safe").load(path) for path in sorted(COMPONENT.glob("*/prometheus-rule.yaml"))}
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in COMPONENT.glob("dashboards/*.json")}
VARIABLES = {"$namespace": "a-prod", "$__rate_interval": "1m"}
"""What Grafana would put into a query."""

KEYWORDS = {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "bool"}
TARGET = {"namespace", "pod", "job", "instance", "service", "endpoint", "container"}
"""Labels that Prometheus gives each sample of a ServiceMonitor's target."""

Rule = dict[str, Any]


class Query(NamedTuple):
    where: str
    text: str


def rules() -> Iterator[Rule]:
    for resource in RULES.values():
        for group in resource["spec"]["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, Rule]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def panels() -> list[Query]:
    """Every query of every panel, as Grafana would send it."""
    return [
        Query(f"{name}: {panel['title']}", filled(target["expr"]))
        for name, dashboard in DASHBOARDS.items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def filled(query: str) -> str:
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


def queries() -> list[Query]:
    return [*panels(), *(Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules())]


def metrics_of(query: str) -> set[str]:
    """The metrics that a query reads: its words that are no function, keyword, label, number or text."""
    bare = re.sub(r'"[^"]*"|\[[^]]*\]|#.*', "", query)
    bare = re.sub(r"\{[^}]*\}|\b(?:by|without|on|ignoring|group_left|group_right) *\([^)]*\)", "", bare)
    return set(re.findall(r"\b[a-z_][a-z_:0-9]*\b(?! *\()", bare)) - KEYWORDS


def labels_of(query: str) -> set[str]:
    """The labels that a query names."""
    bare = re.sub(r'"[^"]*"|#.*', '""', query)
    lists = re.findall(r"\b(?:by|without|on|ignoring|group_left|group_right) *\(([^)]*)\)", bare)
    matchers = re.findall(r"([a-z_]+) *(?:=~|!~|!=|=)", " ".join(re.findall(r"\{([^}]*)\}", bare)))
    return {name.strip() for names in lists for name in names.split(",") if name.strip()} | set(matchers)


def built(image: str, program: str) -> Path | None:
    """A program that tests/e2e/images/build.sh has built."""
    found = run(IMAGES / "build.sh", "--where", image, cwd=IMAGES, check=False).stdout.strip()
    return Path(found) / program if found else None
