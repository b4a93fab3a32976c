"""What lies beside the model in a bundle: the card, the reference profile and the list of software."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import card, data, reference, sbom
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.reports import Evaluated, Group, Trained, Verdict
from {{ cookiecutter.package }}.settings import Settings

import sample_project

SETTINGS = Settings.load(sample_project.root())
TRAINED = Trained(24_000, 6_000, "2013-01-01T10:15:00+00:00", "2013-09-28T20:14:00+00:00")
EVALUATED = Evaluated(
    rows=8_000,
    positive_rows=1_800,
    first="2013-09-28T20:15:00+00:00",
    last="2014-01-01T04:59:00+00:00",
    threshold=0.25,
    confidence=0.95,
    metrics={"auc": 0.6735, "brier_skill": 0.0601},
    auc_interval=(0.6602, 0.689),
    equal_opportunity_difference={"origin": 0.1475},
    selection_rate_ratio={"origin": 0.7084},
    groups=(Group("origin", "EWR", 2_917, 0.25, 0.39, 0.6, 0.685), Group("origin", "SWF", 12)),
    champion=None,
)
VERDICTS = (
    Verdict("floor", "passed", 0.66, 0.6, "AUC 0.674"),
    Verdict("latency", "passed", 0.0123, 5.0, "0.0123 ms for one row"),
)


def written(evaluated: Evaluated = EVALUATED, verdicts: tuple[Verdict, ...] = VERDICTS) -> list[str]:
    return card.write(SETTINGS, TRAINED, evaluated, verdicts).splitlines()


@pytest.mark.proof("The model card states data, metrics, slices and verdicts of its run")
@pytest.mark.parametrize(
    "line",
    [
        f"# {SETTINGS.title}",
        SETTINGS.description,
        f"* **Owner:** {SETTINGS.owner}",
        f"* **Purpose:** {SETTINGS.contract.purpose}",
        "* Trained on 24000 rows from 2013-01-01T10:15:00+00:00 to 2013-09-28T20:14:00+00:00, 25.0% positive",
        "* Judged on 8000 later rows from 2013-09-28T20:15:00+00:00 to 2014-01-01T04:59:00+00:00",
        "* Positive: arr_delay above 15",
        "* Never features: dep_time, dep_delay, arr_time, air_time",
        "* Personal data: aircraft",
        "| auc | 0.6735 |",
        "| AUC, 95% interval | 0.6602 to 0.6890 |",
        "| threshold | 0.2500 |",
        "| origin EWR | 2917 | 0.250 | 0.390 | 0.600 | 0.685 |",
        "| origin SWF | 12 | too few rows | too few rows | too few rows | too few rows |",
        "| floor | passed | AUC 0.674 |",
    ],
)
def test_card_states(line: str) -> None:
    assert line in written()


def test_card_holds_no_measured_time() -> None:
    slower = (VERDICTS[0], msgspec.structs.replace(VERDICTS[1], value=4.9, reason="4.9 ms for one row"))
    assert written() == written(verdicts=slower)


def test_card_says_how_many_rows_are_of_known_entities() -> None:
    lines = card.write(SETTINGS, TRAINED, EVALUATED, VERDICTS, {"aircraft": 0.914}).splitlines()
    assert "* Of the later rows, 91.4% have a value of aircraft that was trained on" in lines


def test_card_without_slices_says_so() -> None:
    assert "The data contract names no slice." in written(msgspec.structs.replace(EVALUATED, groups=()))


def contract(**columns: object) -> Contract:
    time_and_label = {"when": {"type": "timestamp", "roles": ("time",)}, "late": {"type": "bool", "roles": ("label",)}}
    return Contract(
        task="binary",
        source="rows.csv",
        purpose="test",
        retention="none",
        label={"equals": True},
        columns={**time_and_label, **columns},
    )


def profile(values: list[float | None], bins: int = 4) -> dict[str, object]:
    column = np.array([np.nan if value is None else value for value in values])
    number = contract(size={"type": "float32", "roles": ("feature",), "missing": 1.0})
    found: dict[str, object] = reference.build(number, {"size": column}, np.full(len(values), 0.5), bins)["bins"][
        "size"
    ]
    return found


def test_number_has_bins_of_equal_counts_and_one_for_missing() -> None:
    assert profile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, None, None]) == {
        "kind": "number",
        "edges": [3.0, 5.0, 7.0],
        "ratios": [0.2, 0.2, 0.2, 0.2, 0.2],
    }


def test_constant_and_wholly_missing_numbers_have_one_bin() -> None:
    assert profile([3.0, 3.0, 3.0]) == {"kind": "number", "edges": [], "ratios": [1.0, 0.0]}
    assert profile([None, None]) == {"kind": "number", "edges": [], "ratios": [0.0, 1.0]}


def test_category_has_a_bin_for_each_value_for_others_and_for_missing() -> None:
    columns = {"kind": np.array(["a", "b", "a", "?", None, np.nan, "a", "b"], dtype=object)}
    kinds = contract(kind={"type": "category", "roles": ("feature",), "categories": ("b", "a", "c")})
    found = reference.build(kinds, columns, np.linspace(0, 1, 8), 2)
    assert found["bins"]["kind"] == {
        "kind": "category",
        "values": ["b", "a", "c"],
        "ratios": [0.25, 0.375, 0.0, 0.125, 0.25],
    }
    assert found["score"]["ratios"] == [0.5, 0.5, 0.0]


def test_timestamp_has_a_profile_for_each_part() -> None:
    times = contract(seen={"type": "timestamp", "roles": ("feature",), "parts": ("weekday", "hour")})
    columns = {"seen": np.array(["2013-10-06T23:00", "2013-10-07T00:00", "NaT"], dtype="datetime64[s]")}
    found = reference.build(times, columns, np.zeros(3), 2)["bins"]
    assert found["seen.weekday"] == {"kind": "number", "edges": [7.0], "ratios": [0.333333, 0.333333, 0.333333]}
    assert found["seen.hour"] == {"kind": "number", "edges": [23.0], "ratios": [0.333333, 0.333333, 0.333333]}


@given(st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), st.integers(2, 20))
def test_ratios_are_those_of_counting_the_same_values_live(values: list[float | None], bins: int) -> None:
    found = profile(values, bins)
    edges, ratios = found["edges"], found["ratios"]
    assert isinstance(edges, list)
    assert isinstance(ratios, list)
    assert edges == sorted(set(edges))
    assert len(edges) < bins
    assert len(ratios) == len(edges) + 2
    assert sum(ratios) == pytest.approx(1, abs=1e-4)
    counted = [0] * len(ratios)
    for value in values:
        counted[-1 if value is None else int(np.searchsorted(edges, np.float32(value), side="right"))] += 1
    assert ratios == pytest.approx([count / len(values) for count in counted], abs=1e-6)


def test_sample_has_a_profile_for_every_feature() -> None:
    frame = data.load(SETTINGS.contract, SETTINGS.contract.source, SETTINGS.root).frame
    columns = data.arrays(SETTINGS.contract, frame)
    found = reference.build(SETTINGS.contract, columns, np.linspace(0, 1, len(frame)), 10)
    assert tuple(found["bins"]) == SETTINGS.contract.features
    assert found["bins"]["origin"]["ratios"] == pytest.approx([0.3575, 0.3305, 0.312, 0, 0], abs=0.01)
    assert found["bins"]["pressure"]["ratios"][-1] == pytest.approx(0.115, abs=0.01)
    assert len(found["score"]["edges"]) == 9


def test_every_installed_package_stands_once_with_its_version() -> None:
    document = json.loads(sbom.build("flights"))
    found = {component["name"]: component["version"] for component in document["components"]}
    assert len(found) == len(document["components"])
    assert found["scikit-learn"] == version("scikit-learn")
    assert found["ruamel-yaml"] == version("ruamel.yaml")  # the one spelling of a name that is written in several ways


def test_form_is_cyclonedx() -> None:
    document = json.loads(sbom.build("flights"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"] == {
        "component": {"bom-ref": "flights", "name": "flights", "type": "machine-learning-model"}
    }
    references = [component["bom-ref"] for component in document["components"]]
    assert len(set(references)) == len(references)
    assert f"pkg:pypi/numpy@{version('numpy')}" in references


def test_two_lists_of_one_environment_are_equal() -> None:
    assert sbom.build("flights") == sbom.build("flights")


STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12+deb13u1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""


def test_image_sbom_names_the_systems_packages_python_and_its_own(tmp_path: Path) -> None:
    for name, text in {"var/lib/dpkg/status": STATUS, "etc/os-release": 'ID=debian\nVERSION_ID="13"\n'}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    document = json.loads(sbom.of_image("flights-serving", tmp_path))
    assert document["metadata"]["component"]["type"] == "container"
    purls = [component["purl"] for component in document["components"]]
    assert purls[0] == "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64&distro=debian-13"
    assert purls[1] == f"pkg:generic/python@{platform.python_version()}"
    assert f"pkg:pypi/numpy@{version('numpy')}" in purls[2:]
    assert not any("gone" in purl for purl in purls)


def test_image_without_dpkg_has_no_packages_of_the_system(tmp_path: Path) -> None:
    document = json.loads(sbom.of_image("flights-serving", tmp_path))
    assert document["components"][0]["name"] == "python"
