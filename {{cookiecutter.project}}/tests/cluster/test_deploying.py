"""What a verb for a cluster tells its reader to call next: with the context that was named, on the way from dev to prod."""

import json
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import deploying
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.cluster.smoke import smoke
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.overview import Served, differences
from {{ cookiecutter.package }}.registry import Version

from .conftest import VALUES
from .stand_ins import Api, add_deployment, add_pod, program

CHAMPION, OTHER = "a" * 64, "b" * 64


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


def test_images_that_were_not_built_are_not_deployed(dev: Namespace) -> None:
    staging = Namespace(dev.settings, "staging", dev.cluster)
    with pytest.raises(Refused, match=r"^the images of dev were not built yet: make image ENV=dev first$"):
        deploying._require_images(f"image: serving@sha256:{'0' * 64}", dev)
    with pytest.raises(Refused, match="the images of staging were not built yet: first copy those that dev has tried"):
        deploying._require_images(f"image: serving@sha256:{'0' * 64}", staging)
    deploying._require_images(f"image: r.example.org/a-serving@sha256:{'1' * 64}", dev)


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


def test_what_brings_a_pod_back_names_champion_and_cluster(dev: Namespace) -> None:
    served = [Served("annotation", OTHER), Served("pod one", OTHER)]
    assert dev.remedy(CHAMPION, served) == 'make promote ENV=dev BUNDLE=aaaaaaaaaaaa REASON="…" brings it back'
    assert dev.remedy(None, served) == 'make promote ENV=dev BUNDLE=bbbbbbbbbbbb REASON="…" makes it the champion'
    prod = Namespace(dev.settings, "prod", dev.cluster, "my-cluster")
    assert prod.remedy(CHAMPION, served) == (
        'make promote ENV=prod CONTEXT=my-cluster BUNDLE=aaaaaaaaaaaa REASON="…" brings it back'
    )


def test_no_promotion_mends_an_image(dev: Namespace) -> None:
    crashing = Served("pod two", None, "container server: CrashLoopBackOff, exit code 1")
    served = [Served("annotation", CHAMPION), crashing]
    mend = "correct it, then make image ENV=dev, make deploy ENV=dev"
    assert dev.remedy(CHAMPION, served) == mend
    assert dev.remedy(CHAMPION, [*served, Served("pod one", CHAMPION)]) == f"the other servers go on; {mend}"
    assert dev.remedy(None, [Served("annotation", None), crashing]) == mend
    named_by_hand = [Served("annotation", OTHER), crashing]
    assert dev.remedy(CHAMPION, named_by_hand).startswith("make promote ENV=dev BUNDLE=aaaaaaaaaaaa ")


@pytest.fixture
def elsewhere(dev: Namespace, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """The environment with object store and registry elsewhere, and a kubectl that says that it has applied all."""
    folder = dev.settings.root / "k8s/overlays/dev"
    values = VALUES | {"mlflow_uri": "https://mlflow.example.org", "object_store_endpoint": ""}
    (folder / "environment.yaml").write_text(json.dumps({"data": values}))
    (folder / "images").mkdir()
    (folder / "images" / "kustomization.yaml").touch()
    rendered = json.dumps({"kind": "Namespace", "metadata": {"name": dev.name}})
    program(tmp_path / "kubectl", f"case \"$*\" in *kustomize*) echo '{rendered}' ;; *) cat >/dev/null ;; esac")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("{{ cookiecutter.package }}.cluster.rollout.ROLLOUT_SECONDS", 5)
    api.add(f"/api/v1/namespaces/{dev.name}", status={"phase": "Active"})
    return dev


def test_servers_that_were_scaled_to_0_are_no_success(elsewhere: Namespace, api: Api) -> None:
    add_deployment(api, elsewhere.name, replicas=0)
    scale = f"kubectl --context here --namespace {elsewhere.name} scale deployment serving --replicas"
    said = "the manifests are applied, but serving is scaled to 0, where no autoscaler acts"
    with pytest.raises(Refused, match=f"^{said}: {scale} 1$"):
        deploying.deploy(elsewhere)
    target = {"kind": "Deployment", "name": "serving"}
    autoscaler = f"/apis/autoscaling/v2/namespaces/{elsewhere.name}/horizontalpodautoscalers/serving"
    api.add(autoscaler, spec={"minReplicas": 2, "maxReplicas": 4, "scaleTargetRef": target})
    for verb in (deploying.deploy, smoke, Namespace.target):
        with pytest.raises(Refused, match=f"{scale} 2$"):
            verb(elsewhere)


def test_a_broken_image_leaves_the_servers_of_before(elsewhere: Namespace, api: Api) -> None:
    add_deployment(api, elsewhere.name, availableReplicas=2, observedGeneration=1)
    add_pod(api, elsewhere.name, "new", restartCount=2, state={"waiting": {"reason": "CrashLoopBackOff"}})
    with pytest.raises(Refused) as refused:
        deploying.deploy(elsewhere)
    assert str(refused.value) == (
        "rollout: pod new, container server: CrashLoopBackOff\n  the servers of before go on; correct what is wrong "
        "(config/ and src/ are in the image: make image ENV=dev), then make deploy ENV=dev"
    )
    found = Served("pod new", None, "container server: CrashLoopBackOff")
    assert elsewhere.served() == [Served("annotation", CHAMPION), found]
    champion = Version("3", CHAMPION, f"s3://models/x/bundles/{CHAMPION}", "ada", None, False)
    assert differences(champion, elsewhere.served()) == ["pod new, container server: CrashLoopBackOff"]


def test_nothing_is_deployed_into_a_namespace_that_goes(elsewhere: Namespace, api: Api) -> None:
    api.objects[f"/api/v1/namespaces/{elsewhere.name}"]["status"]["phase"] = "Terminating"
    again = f"make clean-cluster ENV=dev CONFIRM={elsewhere.name} again"
    with pytest.raises(Refused, match=f"^the namespace {elsewhere.name} is being deleted: wait .* {again}"):
        deploying.deploy(elsewhere)
    assert list(api.objects) == [f"/api/v1/namespaces/{elsewhere.name}"]


def test_who_came_before_the_first_deployment_is_told_so(elsewhere: Namespace, api: Api) -> None:
    del api.objects[f"/api/v1/namespaces/{elsewhere.name}"]
    for verb in (smoke, Namespace.target):
        with pytest.raises(Refused, match=f"^there is no namespace {elsewhere.name}: make deploy ENV=dev first$"):
            verb(elsewhere)
    # Who may not look at namespaces is told by the next request.
    api.forbidden = {("GET", f"/api/v1/namespaces/{elsewhere.name}")}
    with pytest.raises(Refused, match="token"):
        elsewhere.target()
