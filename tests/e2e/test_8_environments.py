"""One bundle on its way from dev to prod; and a second project in the cluster, which knows nothing of the first."""

import json
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest
from conftest import commit, git

from .conftest import World, kubectl, node_address, record
from .questions import asked, sample_rows
from .second import LADDER, REASON, Second, namespace
from .serving import champion


@pytest.fixture(scope="module")
def second(second_under_way: Future[Second]) -> Second:
    return second_under_way.result(timeout=600)


@pytest.mark.proof(
    "One bundle goes from dev to staging to prod through three namespaces; prod wants the cluster named, and an approval by another person than the trainer"
)
def test_a_bundle_goes_from_dev_to_prod(second: Second) -> None:
    other, bundle = second.world, second.bundle
    context = f"CONTEXT={kubectl('config', 'current-context').strip()}"
    assert "name the cluster that you mean by its context" in other.refused("deploy", "ENV=prod")
    other.make("deploy", "ENV=prod", context)
    promote = ("promote", "ENV=prod", context, REASON, f"BUNDLE={bundle}")
    assert "there is no approval of this bundle" in other.refused(*promote)
    approval = other.project / "governance" / "approvals" / f"{bundle}.yaml"
    approval.write_text(f"bundle: {bundle}\nreason: no group is worse off\ndate: {datetime.now(UTC):%Y-%m-%d}\n")
    commit(other.project, "Approve")
    by_the_trainer = other.refused(*promote)
    assert "who trained this bundle: another person must approve" in by_the_trainer
    git("-c", "user.name=Grace", "-c", "user.email=grace@example.org", "commit", "--quiet", "--amend", "--reset-author", "--no-edit", cwd=other.project)  # fmt: skip
    other.make(*promote)
    served = second.served | {"prod": other.make("smoke", "ENV=prod", context)}

    assert {champion(other, namespace(environment)) for environment in LADDER} == {bundle}
    assert "Grace <grace@example.org>" in other.make("history", "ENV=prod", context)
    other.make("status", "ENV=prod", context)
    for environment in LADDER[:-1]:
        # Their servers sleep (second.py), and that is no success.
        assert "serving is scaled to 0" in other.refused("status", f"ENV={environment}", context)
    record("8-environments", bundle=bundle, served=served, refused=by_the_trainer)


@pytest.mark.proof("Two projects share a cluster: when one is deleted, its accounts go and the other still answers")
def test_two_projects(world: World, second: Second) -> None:
    other = second.world
    rows = sample_rows(world, 10)
    before = asked(world, node_address(), rows)
    context = f"CONTEXT={kubectl('config', 'current-context').strip()}"
    assert set(map(namespace, LADDER)) < set(_accounts(other))
    for environment in LADDER:
        said = other.make("clean-cluster", f"ENV={environment}", context, f"CONFIRM={namespace(environment)}")
        assert "could not be removed" not in said
    left = {each["metadata"]["name"] for each in json.loads(kubectl("get", "namespaces", "-o", "json"))["items"]}
    assert not left & {namespace(environment) for environment in LADDER}
    assert not set(map(namespace, LADDER)) & set(_accounts(other))
    assert asked(world, node_address(), rows) == before
    world.make("smoke", "ENV=local")


def _accounts(world: World) -> list[str]:
    """The names by which the object store knows its clients."""
    program = "import json; from bus_arrival.cluster import connection, object_store as store; print(json.dumps([*store.look(connection.Cluster.connect()).identities]))"
    found: list[str] = json.loads(world.python(program))
    return found
