"""What a client gets for a good request, and what is counted and logged of it."""

import hashlib
import hmac
import math
import time
from pathlib import Path

import pytest

from .helpers import CONTRACT, INPUTS, ROW, Running, score, start, write_bundle, write_settings


def test_rows(server: Running, bundle_id: str) -> None:
    answer = server.predict({**ROW, "key": "P-1"}, {**ROW, "carrier": "new", "weight": None})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json
    assert {name: found[name] for name in ("model", "version", "bundle")} == {
        "model": "parcels",
        "version": "3",
        "bundle": bundle_id,
    }
    first, second = found["predictions"]
    assert (first["key"], second["key"]) == ("P-1", None)
    assert first["score"] == pytest.approx(score(), abs=1e-6)
    unknown = (8.0, math.nan, math.nan, *INPUTS[3:])
    assert second["score"] == pytest.approx(score(unknown), abs=1e-6)
    assert first["decision"] is True
    assert first["id"] != second["id"]


def test_tensors(server: Running, bundle_id: str) -> None:
    kinds = {"hour": "UINT8", "weight": "FP32", "express": "BOOL", "age": "INT64"}
    inputs = [
        {
            "name": name,
            "shape": [2, 1] if name == "age" else [2],
            "datatype": kinds.get(name, "BYTES"),
            "data": [value, value],
        }
        for name, value in ROW.items()
    ]
    answer = server.request("POST", "/v2/models/parcels/infer", {"id": "mine", "inputs": inputs})
    assert answer.status == 200, answer.body
    found = answer.json
    assert (found["model_name"], found["model_version"], found["id"]) == ("parcels", "3", "mine")
    assert found["parameters"] == {"bundle": bundle_id}
    outputs = {output["name"]: output for output in found["outputs"]}
    assert outputs["score"]["data"] == pytest.approx([score()] * 2, abs=1e-6)
    assert outputs["decision"] == {"name": "decision", "shape": [2], "datatype": "BOOL", "data": [True, True]}
    assert server.request("POST", "/v2/models/parcels/versions/3/infer", {"inputs": inputs}).status == 200


def test_metadata_and_health(server: Running, bundle_id: str) -> None:
    metadata = server.request("GET", "/v2/models/parcels").json
    assert [each["name"] for each in metadata["inputs"]] == list(CONTRACT.features)
    assert metadata["parameters"] == {"bundle": bundle_id, "threshold": 0.5}
    assert server.request("GET", "/v2/health/live").json == {"live": True}
    ready = {"ready": True, "model": "parcels", "version": "3", "bundle": bundle_id}
    assert server.request("GET", "/v2/health/ready").json == ready
    assert server.request("GET", "/v2/models/parcels/ready").json == ready
    assert server.request("GET", "/v2").json["name"] == "mlops-template"


def test_openapi_describes_what_is_checked(server: Running) -> None:
    from openapi_spec_validator import validate

    document = server.request("GET", "/openapi.json").json
    validate(document)
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == list(CONTRACT.features)
    assert row["additionalProperties"] is False
    assert row["properties"]["hour"] == {"type": "integer", "minimum": 0, "maximum": 23}
    assert row["properties"]["weight"]["type"] == ["number", "null"]
    assert row["properties"]["origin"] == {"type": "string", "enum": ["east", "west"]}
    # The golden request is a real row: personal data of it must not be shown.
    assert "examples" not in row


def test_docs_need_nothing_from_elsewhere(server: Running) -> None:
    page = server.request("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"://" not in page.body


def test_counts(server: Running) -> None:
    before = server.metrics()
    server.predict(ROW, {**ROW, "carrier": "new", "weight": None})
    server.predict({**ROW, "hour": 99})
    after = server.metrics()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    for first in ('errors_total{kind="internal"}', 'requests_total{route="/v2/models/{name}/infer",status="503"}'):
        assert before[f"inference_{first}"] == 0, "a burst between two scrapes would be no increase"
    assert grown['inference_requests_total{route="/v1/predict",status="200"}'] == 1
    assert grown['inference_requests_total{route="/v1/predict",status="422"}'] == 1
    assert grown['inference_errors_total{kind="contract"}'] == 1
    assert grown["inference_rows_total"] == 2
    assert grown['inference_feature_bin_total{bin="NO",feature="carrier"}'] == 1
    assert grown['inference_feature_bin_total{bin="other",feature="carrier"}'] == 1
    assert grown['inference_feature_bin_total{bin="1",feature="weight"}'] == 1
    assert grown['inference_feature_bin_total{bin="missing",feature="weight"}'] == 1
    assert grown['inference_feature_bin_total{bin="2",feature="hour"}'] == 2
    assert grown['inference_feature_bin_total{bin="2",feature="booked.hour"}'] == 2
    assert grown['inference_score_bin_total{bin="1"}'] == 2
    assert after['model_reference_bin_ratio{bin="2",feature="hour"}'] == 0.4
    assert after["inference_requests_in_flight"] == 0
    assert after["model_ready"] == 1
    assert grown['inference_request_duration_seconds_count{route="/v1/predict"}'] == 2


@pytest.mark.proof("No payload and no key is in a log, a trace or an error report")
def test_prediction_log_names_nobody(server: Running, bundle_id: str) -> None:
    answer = server.predict({**ROW, "key": "P-77", "age": 41})
    time.sleep(0.3)
    lines = [
        line
        for line in server.logged("serving.prediction")
        if line["prediction.id"] == answer.json["predictions"][0]["id"]
    ]
    assert len(lines) == 1
    line = lines[0]
    assert line["prediction.format"] == 1
    assert line["prediction.key"] == hmac.new(b"secret", b"P-77", hashlib.sha256).hexdigest()
    assert line["model.bundle"] == bundle_id
    assert line["prediction.score"] == pytest.approx(score((*INPUTS[:-1], 41)), abs=1e-6)
    assert line["prediction.features"] == {name: value for name, value in ROW.items() if name != "age"}


def test_prediction_log_without_secret_has_no_key_and_says_so(root: Path, bundle_id: str) -> None:
    running = start(root, bundle_id)
    assert running.predict({**ROW, "key": "P-77"}).status == 200
    running.stop()
    (line,) = running.logged("serving.prediction")
    assert line["prediction.key"] is None
    assert "PREDICTION_LOG_SECRET is not set" in str(running.logged("serving"))


def test_prediction_log_can_be_off(tmp_path: Path) -> None:
    write_settings(tmp_path)
    file = tmp_path / "config" / "serving.yaml"
    file.write_text(file.read_text().replace('"stdout"', '"off"'))
    running = start(tmp_path, write_bundle(tmp_path / "bundles"))
    assert running.predict(ROW).status == 200
    running.stop()
    assert running.logged("serving.prediction") == []
    assert len(running.logged("serving.request")) == 1


@pytest.mark.proof("No payload and no key is in a log, a trace or an error report")
def test_request_log_holds_no_payload(server: Running) -> None:
    server.predict({**ROW, "origin": "nowhere-at-all"})
    time.sleep(0.3)
    last = server.logged("serving.request")[-1]
    assert (last["message"], last["http.response.status_code"], last["log.level"]) == ("/v1/predict", 422, "warning")
    assert "nowhere-at-all" not in str(server.lines)
