"""How far a rollout is: decided from what a cluster says, in its own words."""

from typing import Any

import pytest

from {{ cookiecutter.package }}.cluster.progress import ANNOTATION, progress, trouble, unscheduled

NEW, OLD = "a" * 64, "b" * 64


def deployment(*conditions: tuple[str, str, str], observed: int = 2, **counts: int) -> dict[str, Any]:
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": observed,
            **counts,
            "conditions": [dict(zip(("type", "status", "message"), each, strict=True)) for each in conditions],
        },
    }


def pod(name: str, bundle_id: str, ready: bool = True, init: bool = False, **container: Any) -> dict[str, Any]:
    status = {"name": "fetch" if init else "server", "ready": ready, "restartCount": 0, "state": {"running": {}}}
    return {
        "metadata": {"name": name, "annotations": {f"{ANNOTATION}id": bundle_id}},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready), "message": "" if ready else "not ready: [server]"}],
            ("initContainerStatuses" if init else "containerStatuses"): [status | container],
        },
    }


DONE = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
CRASHING = {
    "ready": False,
    "restartCount": 2,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container"}},
    "lastState": {"terminated": {"exitCode": 1}},
}


def test_it_is_done_when_all_pods_serve_it_and_no_other_is_left() -> None:
    serving = [pod("one", NEW), pod("two", NEW)]
    assert progress(deployment(**DONE), serving, NEW).done
    stopping = [*serving, pod("three", OLD)]
    assert not progress(deployment(**DONE), stopping, NEW).done
    assert progress(deployment(**DONE), stopping, NEW).said == "2 of 2 pods serve it, of the others there are still 1"


@pytest.mark.parametrize("missing", ["replicas", "updatedReplicas", "availableReplicas"])
def test_it_is_not_done_before_the_numbers_agree(missing: str) -> None:
    counts = DONE | {missing: 1}
    assert not progress(deployment(**counts), [pod("one", NEW), pod("two", NEW)], NEW).done


def test_it_is_not_done_before_the_cluster_has_seen_the_change() -> None:
    found = progress(deployment(observed=1, **DONE), [pod("one", NEW)], NEW)
    assert (found.done, found.failed, found.said) == (False, "", "waiting for the cluster to see the change")


def test_no_pod_of_none_is_no_success() -> None:
    none = deployment(replicas=0, updatedReplicas=0, availableReplicas=0)
    none["spec"]["replicas"] = 0
    found = progress(none, [], NEW)
    assert (found.done, found.failed) == (False, "the Deployment is scaled to 0, so no pod serves it")


def test_what_keeps_a_pod_from_every_node_is_said() -> None:
    pending = pod("new", NEW, ready=False)
    assert unscheduled([pending]) == ""
    why = {"reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    pending["status"] = {"conditions": [{"type": "PodScheduled", "status": "False", **why}]}
    wanting = deployment(**DONE | {"availableReplicas": 0})
    sentence = "; pod new has no node: Unschedulable, 0/1 nodes are available: 1 Insufficient cpu."
    assert progress(wanting, [pending], NEW).said == f"0 of 2 pods serve it{sentence}"


def test_the_pod_and_container_in_trouble_are_named() -> None:
    pods = [pod("old", OLD), pod("new", NEW, init=True, **CRASHING)]
    found = progress(deployment(replicas=3, updatedReplicas=1, availableReplicas=2), pods, NEW)
    assert found.failed == "pod new, container fetch: CrashLoopBackOff, exit code 1"
    assert found.trouble is not None
    assert found.trouble.restarted


def test_an_old_pod_in_trouble_is_not_the_new_ones_fault() -> None:
    assert progress(deployment(**DONE), [pod("old", OLD, **CRASHING)], NEW).failed == ""


def test_one_restart_is_no_trouble_yet_and_an_image_that_is_not_there_is_at_once() -> None:
    assert trouble([pod("new", NEW, **(CRASHING | {"restartCount": 1}))]) is None
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}, "ready": False}
    found = trouble([pod("new", NEW, **waiting)])
    assert found is not None
    assert (found.reason, found.restarted) == ("ImagePullBackOff, no such image", False)


def test_what_the_cluster_refuses_is_passed_on() -> None:
    refused = deployment(("ReplicaFailure", "True", "exceeded quota: pods"))
    assert progress(refused, [], NEW).failed == "the cluster refuses the pods: exceeded quota: pods"


def test_too_late_names_what_the_pods_wait_for() -> None:
    late = deployment(("Progressing", "False", 'ReplicaSet "x" has timed out progressing.'))
    found = progress(late, [pod("new", NEW, ready=False)], NEW)
    assert found.failed == 'ReplicaSet "x" has timed out progressing. pod new: not ready: [server]'
