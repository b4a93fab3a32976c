"""What a sentence tells its reader to call next."""

import pytest

from {{ cookiecutter.package }} import advice
from {{ cookiecutter.package }}.settings import LAPTOP, Settings

import sample_project

SETTINGS = Settings.load(sample_project.root())
"""None of its environments is in a cluster; they are laptop, local, dev, and staging and prod after that."""

WHERE = {
    "this machine": (LAPTOP, "", ""),
    "the current context": ("dev", "", " ENV=dev"),
    "one that was named": ("staging", "of-staging", " ENV=staging CONTEXT=of-staging"),
    "one that must be named, and was": (
        "prod",
        "arn:aws:eks:x:1:cluster/y",
        " ENV=prod CONTEXT=arn:aws:eks:x:1:cluster/y",
    ),
    "one that must be named, by a name that is not known": ("prod", "", " ENV=prod CONTEXT=…"),
    "a name of several words": ("dev", "my cluster", " ENV=dev CONTEXT='my cluster'"),
}


@pytest.mark.parametrize("case", WHERE)
def test_what_leads_a_verb_to_an_environment(case: str) -> None:
    environment, context, words = WHERE[case]
    assert advice.where(SETTINGS, environment, context) == words


FIRST = {
    LAPTOP: 'make train, then make promote REASON="…"',
    "dev": 'make train ENV=dev, then make promote ENV=dev REASON="…"',
    "staging": 'make promote ENV=staging BUNDLE=<id> REASON="…" with the champion of dev, which make status ENV=dev shows',
    "prod": 'make promote ENV=prod CONTEXT=… BUNDLE=<id> REASON="…" with the champion of staging, '
    "which make status ENV=staging shows",
}


@pytest.mark.parametrize("environment", FIRST)
def test_a_model_is_trained_where_the_way_begins_and_moves_from_there(environment: str) -> None:
    assert advice.first_model(SETTINGS, environment) == FIRST[environment]
    assert FIRST[environment].endswith(advice.promotion(SETTINGS, environment))


def test_without_a_challenger() -> None:
    assert advice.challenger(SETTINGS, "dev") == "make train ENV=dev, or name a bundle (BUNDLE=)"
    assert advice.challenger(SETTINGS, "prod") == FIRST["prod"]
