"""What is served in an environment, and by how many servers."""

from .conftest import LOCAL, World, objects, until

SERVING = "app.kubernetes.io/name=serving"


def champion(world: World, namespace: str = LOCAL) -> str:
    """The bundle id that the Deployment is annotated with."""
    (deployment,) = objects("deployment", namespace)
    return str(deployment["spec"]["template"]["metadata"]["annotations"]["mlops-template.io/model-id"])


def servers() -> set[str]:
    """The names of their pods, those that are ending among them."""
    return {pod["metadata"]["name"] for pod in objects("pods", LOCAL, "-l", SERVING)}


def restarts() -> int:
    """How often a server of those that there are has started again."""
    pods = objects("pods", LOCAL, "-l", SERVING)
    return sum(pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods)


def ready() -> int:
    """How many servers are ready."""
    (deployment,) = objects("deployment", LOCAL)
    return int(deployment["status"].get("readyReplicas", 0))


def replicas() -> int:
    """How many servers are wanted now."""
    (deployment,) = objects("deployment", LOCAL)
    return int(deployment["spec"]["replicas"])


def least() -> int:
    """How many servers the autoscaler leaves when nobody asks."""
    (autoscaler,) = objects("horizontalpodautoscaler", LOCAL)
    return int(autoscaler["spec"]["minReplicas"])


def wait_until_whole() -> float:
    """Until as many servers as are wanted are ready, and none is ending; gives the seconds."""
    wanted = replicas()
    return until(lambda: ready() == wanted and len(servers()) == wanted, 120, f"{wanted} servers are ready")


def wait_until_calm() -> None:
    """Until the autoscaler has forgotten the load of before: else servers go in the middle of what follows."""
    until(lambda: replicas() == least(), 240, "the least number of servers")
    wait_until_whole()
