"""What Kubernetes gives the pod of a task, as the Job of k8s/base/training has it; nothing of it counts on this machine.

Every name is one of the namespace in which the run happens: one compiled pipeline serves all environments.
"""

from typing import Any

from kfp import kubernetes

ACCOUNT = "pipeline-tasks"  # of k8s/components/kubeflow
TIMEOUT_SECONDS = 3600  # a pod that cannot start would keep its run alive for ever
USER = 10001  # the image's own

ENVIRONMENT = "environment"
"""The ConfigMap that k8s/components/kubeflow makes of the overlay's environment.yaml."""
ADDRESSES = {"artifact_uri": "ARTIFACT_URI", "mlflow_uri": "MLFLOW_TRACKING_URI"}
"""Without these a task must not start: it would keep its bundle in the pod, and say that it is published."""
STORE = {"object_store_endpoint": "AWS_ENDPOINT_URL", "region": "AWS_REGION"}
ACCOUNTS = {
    "object-store": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "mlflow": ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
}
"""The Secrets that `make deploy` makes; a namespace has none of a store or registry that knows its pods by their account."""


def confine(task: Any, project: str) -> None:
    """Bound what the pod may do and for how long, and let the policies of the network know it for a training."""
    kubernetes.set_timeout(task, TIMEOUT_SECONDS)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.empty_dir_mount(task, volume_name="scratch", mount_path="/tmp", size_limit="2Gi")  # noqa: S108  the pod's own
    for label, value in {"name": "training", "part-of": project}.items():
        kubernetes.add_pod_label(task, f"app.kubernetes.io/{label}", value)


def equip(task: Any) -> None:
    """Give the pod the addresses of the environment's store and registry, and its accounts there."""
    kubernetes.use_config_map_as_env(task, ENVIRONMENT, ADDRESSES)
    kubernetes.use_config_map_as_env(task, ENVIRONMENT, STORE, optional=True)
    for secret, keys in ACCOUNTS.items():
        kubernetes.use_secret_as_env(task, secret, {key: key for key in keys}, optional=True)
