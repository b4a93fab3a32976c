"""The alerts: each fires when it should and is silent when it should be, says what to do, and leads to a runbook."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import SKELETON, run
from ruamel.yaml import YAML

from .shipped import RULES, Rule, alerts, built, panels

PROMTOOL = built("prometheus", "promtool")
CASES = {path.stem: path for path in sorted((Path(__file__).parent / "rules").glob("*.yaml"))}
RUNBOOKS = SKELETON / "docs" / "runbooks"
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT RUN: promtool was not found (tests/e2e/images/build.sh prometheus; needs Go)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as Prometheus reads them, each file by the name of its folder."""
    folder, yaml = tmp_path_factory.mktemp("rules"), YAML()
    for name, resource in RULES.items():
        yaml.dump(resource["spec"], folder / f"{name}.yaml")
    return folder


def promtool(*words: str | Path, cwd: Path) -> str:
    assert PROMTOOL is not None
    done = run(PROMTOOL, *words, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_takes_the_rules(folder: Path) -> None:
    assert promtool("check", "rules", "--lint=all", "--lint-fatal", *(f"{name}.yaml" for name in RULES), cwd=folder)


@needs_promtool
@pytest.mark.proof("Each alert fires when it should, with the text that it should have, and else stays silent")
@pytest.mark.parametrize("name", CASES)
def test_alerts_fire_and_stay_silent(name: str, folder: Path) -> None:
    (folder / f"{name}-cases.yaml").write_text(CASES[name].read_text(encoding="utf-8"), encoding="utf-8")
    promtool("test", "rules", f"{name}-cases.yaml", cwd=folder)


def cases(expected: str) -> set[str]:
    """The alerts that have a case which says `fires`, or `stays silent`, and expects it."""
    found = set()
    for path in CASES.values():
        for case in YAML(typ="safe").load(path)["tests"]:
            alert, _, rest = case["name"].partition(" ")
            claims = [each for each in case["alert_rule_test"] if each["alertname"] == alert]
            fires = {bool(each["exp_alerts"]) for each in claims}
            assert fires == {rest.startswith("fires: ")}, case["name"]
            assert rest.startswith(("fires: ", "stays silent: ")), case["name"]
            if rest.startswith(expected):
                found.add(alert)
    return found


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    assert cases("fires") == set(alerts())
    assert cases("stays silent") == set(alerts())


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_says_what_to_do(alert: str) -> None:
    rule = alerts()[alert]
    annotations = rule["annotations"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert annotations["summary"].startswith("{{ $labels.namespace }}: ")
    assert annotations["runbook_url"] in sections(), "there is no such section in docs/runbooks"
    assert annotations["runbook_url"].endswith(f"#{alert.lower()}")


def sections() -> dict[str, str]:
    """Every section of the runbooks by its address, as GitHub and GitLab make it of a heading."""
    return {
        f"docs/runbooks/{path.name}#{heading.lower().replace(' ', '-')}": text
        for path in RUNBOOKS.glob("*.md")
        if path.name != "README.md"
        for heading, text in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


@pytest.mark.proof("Each alert leads to a runbook")
def test_runbooks_have_one_section_for_each_alert() -> None:
    assert sorted(sections()) == sorted(rule["annotations"]["runbook_url"] for rule in alerts().values())


@pytest.mark.parametrize("section", sections())
def test_a_runbook_says_what_it_means_who_is_hurt_and_what_to_do(section: str) -> None:
    text = sections()[section]
    words = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
    assert words == ["It means", "Users see", "Look", "Do", "Escalate"]


def test_runbooks_name_verbs_that_there_are() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (SKELETON / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    text = "".join(path.read_text(encoding="utf-8") for path in RUNBOOKS.glob("*.md"))
    verbs = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert len(verbs) >= 5
    assert verbs - set(phony[1].split()) == set()


def test_links_of_runbooks_lead_somewhere() -> None:
    anchors = {section.removeprefix("docs/runbooks/") for section in sections()}
    for path in RUNBOOKS.glob("*.md"):
        for link in re.findall(r"\]\((?!https:)([^)]+)\)", path.read_text(encoding="utf-8")):
            assert (path.name + link if link.startswith("#") else link) in anchors, f"{path.name}: {link}"


@needs_promtool
def test_panels_ask_what_prometheus_understands(tmp_path: Path) -> None:
    asked = panels()
    assert len(asked) >= 20
    recorded: list[Rule] = [{"record": f"panel:{index}", "expr": query.text} for index, query in enumerate(asked)]
    YAML().dump({"groups": [{"name": "panels", "rules": recorded}]}, tmp_path / "panels.yaml")
    promtool("check", "rules", "panels.yaml", cwd=tmp_path)


def psi(live: list[int], reference: list[float]) -> float:
    """The index as it is computed without Prometheus."""
    shares = [max(count / sum(live), 1e-4) for count in live]
    return sum((a - b) * math.log(a / b) for a, b in zip(shares, (max(r, 1e-4) for r in reference), strict=True))


@needs_promtool
def test_drift_is_the_population_stability_index(folder: Path) -> None:
    """Of every input, one of whose bins is empty, and over two pods, one of which is gone."""
    profiles = {
        "carrier": ([700, 200, 90, 10, 0], [0.5, 0.3, 0.15, 0.05, 0.0]),
        "hour": ([100, 100, 100, 100, 100, 500], [0.2, 0.2, 0.2, 0.2, 0.2, 0.0]),
        "weight": ([333, 333, 334], [0.33, 0.33, 0.34]),
    }
    series: list[dict[str, Any]] = []
    for pod, values in (("p", "{0}x20 stale"), ("q", "_x20 {0}x100")):
        place = f'namespace="a-prod",pod="{pod}"'

        def add(metric: str, labels: str, value: str, place: str = place, values: str = values) -> None:
            series.append({"series": f"{metric}{{{place},{labels}}}", "values": values.format(value)})

        add("model_info", 'name="a-prod",version="1",bundle="b"', "1")
        for feature, (counts, ratios) in profiles.items():
            for bin_, (count, ratio) in enumerate(zip(counts, ratios, strict=True)):
                add("inference_feature_bin_total", f'feature="{feature}",bin="{bin_}"', f"0+{count}")
                add("model_reference_bin_ratio", f'feature="{feature}",bin="{bin_}"', str(ratio))
    expected = {feature: round(psi(*profile), 3) for feature, profile in profiles.items()}
    assert min(expected.values()) == 0
    assert max(expected.values()) > 0.2
    samples = [
        {
            "expr": f'round(namespace_bundle_feature:psi:1d{{feature="{feature}"}}, 0.001)',
            "eval_time": "3h",
            "exp_samples": [{"labels": f'{{namespace="a-prod",bundle="b",feature="{feature}"}}', "value": value}],
        }
        for feature, value in expected.items()
    ]
    case = {"interval": "2m", "input_series": series, "promql_expr_test": samples}
    YAML().dump(
        {"rule_files": ["drift.yaml"], "evaluation_interval": "2m", "fuzzy_compare": True, "tests": [case]},
        folder / "psi.yaml",
    )
    promtool("test", "rules", "psi.yaml", cwd=folder)
