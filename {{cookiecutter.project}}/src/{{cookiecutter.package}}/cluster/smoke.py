"""`make smoke`: ask an environment's Service what the champion must answer, and look whether it does."""

import json
import urllib.error
import urllib.request
from typing import Any

from kubernetes import client

from .. import advice, bundle
from ..errors import Refused
from ..registry import Registry
from ..store import Store
from .connection import said
from .deploying import SMOKE_KEY
from .place import Namespace
from .rollout import DEPLOYMENT, require_servers

SERVICE, PORT = "serving", 80
TOLERANCE = 1e-6
"""As for readiness: another processor may give another last bit."""


def smoke(place: Namespace) -> str:
    """Send the champion's golden request through the Service; Refused when the answer is not the golden one."""
    place.require()
    with said(place.cluster, f"look at the Deployment {DEPLOYMENT} in {place.name}"):
        deployment = client.AppsV1Api(place.cluster.api).read_namespaced_deployment(DEPLOYMENT, place.name)
    require_servers(place.cluster, place.name, deployment)
    champion = Registry(place.settings.environment(place.environment)).champion()
    if champion is None:
        first = advice.promotion(place.settings, place.environment, place.context)
        raise Refused(f"{place.environment} has no champion yet: {first}")
    golden = json.loads(Store.open(champion.uri).get(bundle.MANIFEST))["golden"]
    answer = _asked(place, golden["request"])
    prediction = answer["predictions"][0]
    if answer["bundle"] != champion.bundle_id:
        raise Refused(
            f"the Service serves bundle {answer['bundle'][:12]}, the champion is {champion.bundle_id[:12]}: "
            f"see make status{place.where}"
        )
    if abs(prediction["score"] - golden["score"]) > TOLERANCE or prediction["decision"] != golden["decision"]:
        raise Refused(f"the answer {prediction['score']}, {prediction['decision']} is not the golden one: {golden}")
    return f"version {answer['version']} (bundle {answer['bundle'][:12]}) answers its golden request: {prediction['score']:.6f}"


def _asked(place: Namespace, row: dict[str, Any]) -> dict[str, Any]:
    key = (place.cluster.secret(place.name, SMOKE_KEY) or {}).get("key", "")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with place.cluster.forward(place.name, SERVICE, PORT) as port:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/predict", json.dumps({"rows": [row]}).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answered:  # noqa: S310 - this address is ours
                found: dict[str, Any] = json.load(answered)
        except urllib.error.HTTPError as error:
            raise Refused(f"the Service answered {error.code}: {error.read().decode(errors='replace')}") from None
        except OSError as error:
            raise Refused(f"the Service did not answer: {error}") from None
    return found
