"""A second project on its way from dev to prod, and what is told while nobody serves in its dev."""

from concurrent.futures import Future

import pytest

from .conftest import record
from .receiver import assert_page
from .second import DOWN, Gone, Way, namespace

WAIT_SECONDS = 600


@pytest.mark.proof(
    "One bundle goes from dev to staging to prod through three namespaces; prod wants the cluster named, and an approval by another person than the trainer"
)
def test_a_bundle_goes_from_dev_to_prod(second_under_way: Future[tuple[Way, Gone]]) -> None:
    way, _ = second_under_way.result(WAIT_SECONDS)
    record("8-environments", bundle=way.bundle, served=way.served, refused=way.refused)
    assert way.champions == {way.bundle}
    assert set(way.served) == {"dev", "staging", "prod"}
    assert "name the cluster that you mean by its context" in way.refused["without the cluster's name"]
    assert "there is no approval of this bundle" in way.refused["without approval"]
    assert "who trained this bundle: another person must approve" in way.refused["approved by the trainer"]
    assert "Grace <grace@example.org>" in way.history
    for environment in ("dev", "staging"):  # their servers were stopped, and that is no success
        assert "serving is scaled to 0" in way.refused[environment]


@pytest.mark.proof("When no server is left, the shipped alert calls a webhook, and once more when they are back")
@pytest.mark.usefixtures("second_leaves")  # from here on, while other tests wait
def test_servers_are_gone(second_under_way: Future[tuple[Way, Gone]]) -> None:
    _, gone = second_under_way.result(WAIT_SECONDS)
    record(
        "7-gone",
        seconds_until_page=round(gone.seconds_until_page, 1),
        seconds_until_resolved=round(gone.seconds_until_resolved, 1),
    )
    assert_page(DOWN, gone.pages, namespace("dev"))
    assert {each["labels"]["alertname"] for each in gone.pages} == {DOWN}
