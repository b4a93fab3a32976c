"""What a verb for a cluster tells its reader to call next: with the context that was named, on the way from dev to prod."""

from {{ cookiecutter.package }}.cluster import deploying
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.registry import Version


def test_an_empty_namespace_is_told_of_its_champion(dev: Namespace) -> None:
    version = Version("3", "a" * 64, f"s3://models/x/bundles/{'a' * 64}", "ada", None, False)
    prod = Namespace(dev.settings, "prod", dev.cluster, "my-cluster")
    assert deploying.waiting(dev, version) == (
        'dev is waiting for a model: make promote ENV=dev BUNDLE=aaaaaaaaaaaa REASON="…" brings back version 3, its champion'
    )
    assert deploying.waiting(prod, version) == (
        'prod is waiting for a model: make promote ENV=prod CONTEXT=my-cluster BUNDLE=aaaaaaaaaaaa REASON="…" '
        "brings back version 3, its champion"
    )


def test_an_empty_namespace_is_told_the_way_to_its_first_model(dev: Namespace) -> None:
    staging, prod = (Namespace(dev.settings, name, dev.cluster, "my-cluster") for name in ("staging", "prod"))
    assert deploying.waiting(dev, None) == (
        'dev is waiting for a model: make pipeline-run ENV=dev, then make promote ENV=dev REASON="…"'
    )
    assert deploying.waiting(staging, None) == (
        'staging is waiting for a model: make promote ENV=staging CONTEXT=my-cluster BUNDLE=<id> REASON="…" '
        "with the champion of dev, which make status ENV=dev shows"
    )
    assert deploying.waiting(prod, None) == (
        'prod is waiting for a model: make promote ENV=prod CONTEXT=my-cluster BUNDLE=<id> REASON="…" '
        "with the champion of staging, which make status ENV=staging shows"
    )


def test_what_brings_a_pod_back_names_the_cluster(dev: Namespace) -> None:
    assert dev.remedy() == 'make promote ENV=dev BUNDLE=<the champion> REASON="…" brings it back'
    prod = Namespace(dev.settings, "prod", dev.cluster, "my-cluster")
    assert prod.remedy() == 'make promote ENV=prod CONTEXT=my-cluster BUNDLE=<the champion> REASON="…" brings it back'
