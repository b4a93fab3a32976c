"""The list of software is complete, stable and of the form that scanners read."""

import json
from importlib.metadata import version

from {{ cookiecutter.package }} import sbom


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
