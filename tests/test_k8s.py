"""The Kubernetes manifests: rendered by one pinned kustomize, compared whole, valid, and by the rules that users rely on."""

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT, SKELETON, Bake, run
from overlays import (
    CLOUDS,
    EVERYTHING,
    IMAGES,
    MADE,
    UNBUILT,
    Object,
    add_everything,
    filled_in,
    with_images,
    write_images,
)
from ruamel.yaml import YAML

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
KUSTOMIZE = ROOT / "build" / "k8s" / "kustomize"
POLICY = ROOT / "build" / "policy" / "bin"
pytestmark = [
    pytest.mark.skipif(not KUSTOMIZE.exists(), reason="NOT RUN: the pinned kustomize was not found (make tools-k8s)"),
    pytest.mark.skipif(not (POLICY / "checkov").exists(), reason="NOT RUN: checkov was not found (make tools-k8s)"),
]

OVERLAYS = sorted(path.name for path in (SKELETON / "k8s" / "overlays").iterdir())
RENDERED = [*OVERLAYS, EVERYTHING, *CLOUDS]
PLATFORM = ["platform", "prometheus"]
# The oldest release that has all that is used (unhealthyPodEvictionPolicy, podFailurePolicy), and the newest one known.
KUBERNETES = ("1.31", "1.37")


@pytest.fixture(scope="module")
def rendered(bake: Bake) -> dict[str, str]:
    overlays = bake(registry="registry.example.org/team") / "k8s" / "overlays"
    write_images(overlays / "local")
    add_everything(overlays)
    folders = {name: overlays / name for name in RENDERED}
    folders |= {"platform": with_images(overlays), "prometheus": overlays.parent / "platform" / "prometheus"}
    folders |= {cloud: filled_in(bake(cloud=cloud), cloud) for cloud in CLOUDS}
    return {name: run(KUSTOMIZE, "build", folder, cwd=overlays).stdout for name, folder in folders.items()}


@pytest.fixture(scope="module")
def objects(rendered: dict[str, str]) -> dict[str, list[Object]]:
    yaml = YAML(typ="safe")
    return {name: list(yaml.load_all(text)) for name, text in rendered.items()}


@pytest.fixture(scope="module")
def folder(rendered: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The overlays as files, for programs that read files."""
    folder = tmp_path_factory.mktemp("rendered")
    for name, text in rendered.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def one(found: list[Object], kind: str, name: str) -> Object:
    (match,) = (each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return match


def pod_of(workload: Object) -> Object:
    job = workload["spec"].get("jobTemplate", workload)
    pod: Object = job["spec"]["template"]["spec"]
    return pod


def pods(found: list[Object]) -> list[Object]:
    return [pod_of(each) for each in found if each["kind"] in ("Deployment", "CronJob")]


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.proof("The rendered overlays and platform are the committed ones, to the last line")
@pytest.mark.parametrize("name", [*RENDERED, *PLATFORM])
def test_golden(name: str, rendered: dict[str, str], request: pytest.FixtureRequest) -> None:
    golden = GOLDEN / ("platform" if name in PLATFORM else "overlays") / f"{name}.yaml"
    if request.config.getoption("--golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(rendered[name], encoding="utf-8")
    assert rendered[name] == golden.read_text(encoding="utf-8")


@pytest.mark.proof(
    "Every object of every overlay and of the platform is valid for Kubernetes 1.31 and 1.37, custom resources by their definitions"
)
@pytest.mark.parametrize("version", KUBERNETES)
def test_valid(version: str, objects: dict[str, list[Object]], folder: Path) -> None:
    files = [folder / f"{name}.yaml" for name in objects]
    everything = {(each["kind"], each["metadata"]["name"]) for found in objects.values() for each in found}
    assert validate(version, ROOT / "build" / "k8s", *files) == everything


def validate(version: str, definitions: Path, *files: Path) -> set[tuple[str, str]]:
    """Check every object of the files, and give kind and name of each that was checked."""
    said = run(POLICY / "python", HERE / "k8s" / "validate.py", version, definitions, *files, cwd=ROOT).stdout
    return set(re.findall(r"^valid (\S+) (\S+)$", said, re.MULTILINE))


def test_the_pipeline_is_valid_for_clusters_with_kubeflow() -> None:
    compiled = GOLDEN / "training.kubernetes.yaml"
    assert validate(KUBERNETES[-1], HERE / "k8s", compiled) == {
        ("Pipeline", "flight-delay-training"),
        ("PipelineVersion", "flight-delay-training-HASH"),
    }


@pytest.mark.proof(
    "checkov finds nothing in any overlay or in the platform but what k8s/README.md lists with its reason"
)
def test_checkov(folder: Path) -> None:
    listed = re.findall(
        r"^\| (CKV\w*) \| (\w+ [\w-]+) \| (.+) \|$", (ROOT / "k8s" / "README.md").read_text(), re.MULTILINE
    )
    assert len(listed) <= 8
    assert all(len(reason) > 30 for _, _, reason in listed)
    command: list[str | Path] = [
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
        "--directory",
        folder,
    ]
    done = run(POLICY / "checkov", *command, cwd=folder, check=False)
    results = json.loads(done.stdout)["results"]
    assert len(results["passed_checks"]) > 80 * len(RENDERED)
    found = {(each["check_id"], re.sub(r"^(\w+)\..*\.", r"\1 ", each["resource"])) for each in results["failed_checks"]}
    assert found == {(check, resource) for check, resource, _ in listed}


@pytest.mark.parametrize("name", RENDERED)
def test_every_value_of_the_environment_is_in_its_place(name: str, rendered: dict[str, str]) -> None:
    assert "from environment.yaml" not in rendered[name]
    # environment.yaml itself is applied only where tasks of Kubeflow read it.
    assert ("artifact_uri" in rendered[name]) == (name == EVERYTHING)


def test_no_two_overlays_are_equal(rendered: dict[str, str]) -> None:
    same_but_for_the_name = {re.sub(rf"\b{name}\b", "ENV", rendered[name]) for name in OVERLAYS}
    assert len(same_but_for_the_name) == len(OVERLAYS) >= 4


@pytest.mark.parametrize("name", RENDERED)
def test_names_are_those_of_the_base(name: str, objects: dict[str, list[Object]]) -> None:
    """A prefix would not reach the names in a Role; the namespace alone tells projects and environments apart."""
    role = one(objects[name], "Role", "promoter")
    deployment, lease = one(objects[name], "Deployment", "serving"), one(objects[name], "Lease", "promotion")
    named = {rule["resources"][0]: rule["resourceNames"] for rule in role["rules"] if "resourceNames" in rule}
    assert named == {"deployments": [deployment["metadata"]["name"]], "leases": [lease["metadata"]["name"]]}
    (namespace,) = (each["metadata"]["name"] for each in objects[name] if each["kind"] == "Namespace")
    assert {each["metadata"].get("namespace", namespace) for each in objects[name]} == {namespace}


@pytest.mark.parametrize("name", RENDERED)
def test_an_apply_takes_nothing_from_autoscaler_and_promotion(name: str, objects: dict[str, list[Object]]) -> None:
    scaled = [
        each["spec"]["scaleTargetRef"]["name"] for each in objects[name] if each["kind"] == "HorizontalPodAutoscaler"
    ]
    assert scaled == ["serving"]
    deployment = one(objects[name], "Deployment", "serving")
    assert "replicas" not in deployment["spec"]
    assert "annotations" not in deployment["spec"]["template"]["metadata"]
    assert "spec" not in one(objects[name], "Lease", "promotion")


@pytest.mark.parametrize("name", RENDERED)
def test_every_image_is_that_of_the_environment(name: str, objects: dict[str, list[Object]]) -> None:
    images = [container["image"] for pod in pods(objects[name]) for container in containers(pod)]
    assert len(images) == 3
    if name == "local":
        assert set(images) == {f"{IMAGES}-serving@{MADE}", f"{IMAGES}-pipeline@{MADE}"}
    else:  # by which `make deploy` sees that there are none yet
        assert set(images) == {f"serving@{UNBUILT}", f"pipeline@{UNBUILT}"}


def quantity(text: str) -> float:
    """CPU in cores, memory in bytes."""
    number, unit = re.fullmatch(r"([0-9.]+)(m|Mi|Gi)?", text).groups()  # type: ignore[union-attr]  # no match is a failed test
    return float(number) * {None: 1, "m": 0.001, "Mi": 2**20, "Gi": 2**30}[unit]


@pytest.mark.parametrize("name", RENDERED)
def test_the_quota_has_room_for_a_rollout_of_all_replicas_and_a_training(
    name: str, objects: dict[str, list[Object]]
) -> None:
    hard = one(objects[name], "ResourceQuota", "environment")["spec"]["hard"]
    replicas = one(objects[name], "HorizontalPodAutoscaler", "serving")["spec"]["maxReplicas"]
    surge = one(objects[name], "Deployment", "serving")["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    new = -(-replicas * int(surge.removesuffix("%")) // 100)
    # Pods that drain count until they are gone.
    servers = replicas + 2 * new
    serving, training = (
        pod_of(one(objects[name], *each)) for each in (("Deployment", "serving"), ("CronJob", "training"))
    )
    assert int(hard["pods"]) > servers
    for limit in ("requests", "limits"):
        for resource in ("cpu", "memory"):

            def most(pod: Object, limit: str = limit, resource: str = resource) -> float:
                return max(quantity(each["resources"][limit][resource]) for each in containers(pod))

            assert quantity(hard[f"{limit}.{resource}"]) >= servers * most(serving) + most(training), (limit, resource)


@pytest.mark.parametrize("name", RENDERED)
def test_drain_probes_and_grace_belong_together(name: str, objects: dict[str, list[Object]]) -> None:
    pod = pod_of(one(objects[name], "Deployment", "serving"))
    (server,) = pod["containers"]
    config = YAML(typ="safe").load(SKELETON / "config" / "serving.yaml")
    drain, limits = config["drain_seconds"], config["limits"]
    ready = server["readinessProbe"]
    assert ready["httpGet"]["path"] == "/v2/health/ready"
    assert ready["periodSeconds"] * ready["failureThreshold"] < drain
    assert pod["terminationGracePeriodSeconds"] > drain + limits["header_seconds"] + limits["body_seconds"]
    # A server without a model is not ready, and must not be killed for it.
    assert {server[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness")} == {"/v2/health/live"}


@pytest.mark.parametrize("name", RENDERED)
def test_only_the_promoter_is_known_to_the_api(name: str, objects: dict[str, list[Object]]) -> None:
    """No pod of ours holds a token, and nothing is bound but what a namespace's own Roles name."""
    assert {pod["automountServiceAccountToken"] for pod in pods(objects[name])} == {False}
    assert [each for each in objects[name] if each["kind"].startswith("Cluster") or each["kind"] == "Secret"] == []
    bound = [subject for each in objects[name] if each["kind"] == "RoleBinding" for subject in each["subjects"]]
    accounts = {f"{subject['kind']} {subject['name']}" for subject in bound if subject["namespace"] != "mlops-platform"}
    # Those of Kubeflow's tasks are read by its own launcher beside them.
    assert accounts - {"ServiceAccount pipeline-tasks"} == {"ServiceAccount promoter"}


@pytest.mark.parametrize("name", RENDERED)
def test_nothing_comes_in_or_goes_out_unless_a_policy_says_so(name: str, objects: dict[str, list[Object]]) -> None:
    default = one(objects[name], "NetworkPolicy", "default")
    assert default["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    others = [each for each in objects[name] if each["kind"] == "NetworkPolicy" and each is not default]
    ways = [way for each in others for way in each["spec"].get("ingress", []) + each["spec"].get("egress", [])]
    assert all(way["ports"] and (way.get("from") or way.get("to")) for way in ways)
    environment = name if name in OVERLAYS else "dev"
    labels = one(objects[name], "Namespace", f"flight-delay-{environment}")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels.get("mlops-template.io/digests") == ("required" if name in ("staging", "prod") else None)
