"""Each gate passes the sample's own model, and refuses on real data what it is there for."""

import itertools
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from {{ cookiecutter.package }} import data, evaluation, export, features, gates, leaks, reports, scoring, training
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.reports import Evaluated, Exported, Parity, Trained, Validated
from {{ cookiecutter.package }}.settings import Settings

import sample_project

ROOT = sample_project.root()
OCTOBER = pd.Timestamp("2013-10-01", tz="America/New_York")


@cache
def settings() -> Settings:
    return Settings.load(ROOT)


@cache
def sample() -> pd.DataFrame:
    contract = settings().contract
    frame = data.load(contract, contract.source, ROOT).frame
    return frame[data.label(contract, frame).notna()]


def between(start: pd.Timestamp | None, end: pd.Timestamp | None) -> pd.DataFrame:
    return data.between(settings().contract, sample(), start, end)


def fitted(frame: pd.DataFrame) -> Any:
    return training.fit(settings().contract, settings().training, frame)


@cache
def model() -> Any:
    return fitted(between(None, OCTOBER))


def judged(candidate: Any, frame: pd.DataFrame, champion: Any = None) -> Evaluated:
    contract = settings().contract
    compared = ("c" * 64, training.scores(contract, champion, frame)) if champion is not None else None
    scores = training.scores(contract, candidate, frame)
    return evaluation.evaluate(contract, settings().training, frame, scores, 0.24, compared)


@cache
def evaluated() -> Evaluated:
    return judged(model(), between(OCTOBER, None))


def trained(rows: int = 24_000, positive_rows: int = 6_000) -> Trained:
    return Trained(rows, positive_rows, "2013-01-01", "2013-09-30")


def validated(contract: Contract, frame: pd.DataFrame) -> Validated:
    return Validated(len(frame), 1.0, leaks.single_feature_auc(contract, frame))


def exported(content: bytes, candidate: Any) -> Exported:
    contract, rows = settings().contract, between(OCTOBER, None).head(2_000)
    session = scoring.session(content)
    matrix = features.encode(contract, data.arrays(contract, rows))
    threshold = settings().training.costs.threshold
    parity = export.parity(contract, candidate, session, rows, threshold)
    return Exported(parity, len(content), export.milliseconds(session, matrix))


@cache
def good_export() -> Exported:
    return exported(export.convert(settings().contract, model()), model())


def test_the_samples_model_passes_every_gate() -> None:
    contract = settings().contract
    verdicts = gates.judge(settings().gates, validated(contract, sample()), trained(), evaluated(), good_export())
    assert {verdict.gate: verdict.outcome for verdict in verdicts} == {
        "contract": "passed",
        "rows": "passed",
        "floor": "passed",
        "champion": "not applicable",
        "slices": "passed",
        "fairness": "passed",
        "calibration": "passed",
        "parity": "passed",
        "size": "passed",
        "latency": "passed",
    }


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_contract_refuses_a_column_that_leaks_the_label() -> None:
    contract = settings().contract
    column = contract.columns["dep_delay"].model_copy(update={"roles": ("feature",)})
    leaking = contract.model_copy(update={"columns": {**contract.columns, "dep_delay": column}})
    # features are remembered by a contract, so a changed one is read anew
    leaking = Contract.from_json(leaking.to_json())
    verdict = gates.contract(settings().gates.contract, validated(leaking, sample()), evaluated())
    assert verdict.outcome == "refused"
    assert verdict.reason.startswith("dep_delay alone has an AUC of 0.9")
    assert "give it the role forbidden" in verdict.reason


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_contract_refuses_columns_that_leak_the_label_only_together() -> None:
    """As day and hour of a delivery would; here one is a secret, and the other the label, turned round where that is 1."""
    contract, rows = settings().contract, sample()
    secret = np.random.default_rng(1).random(len(rows)) < 0.3
    late = data.label(contract, rows) == 1
    half = contract.columns["dep_hour"].model_copy(update={"max": 1})
    leaking = contract.model_copy(update={"columns": {**contract.columns, "secret": half, "turned": half}})
    leaking = Contract.from_json(leaking.to_json())
    rows = rows.assign(secret=secret.astype(np.uint8), turned=(late ^ secret).astype(np.uint8))
    before, after = data.between(leaking, rows, None, OCTOBER), data.between(leaking, rows, OCTOBER, None)
    scores = training.scores(leaking, training.fit(leaking, settings().training, before), after)
    found = evaluation.evaluate(leaking, settings().training, after, scores, 0.24)
    each_alone = validated(leaking, rows)
    assert max(each_alone.single_feature_auc.values()) < settings().gates.contract.max_single_feature_auc
    verdict = gates.contract(settings().gates.contract, each_alone, found)
    assert (verdict.outcome, verdict.threshold) == ("refused", 0.95)
    assert verdict.value == found.metrics["auc"] > 0.99
    assert verdict.reason == (
        f"the model has an AUC of {verdict.value:.3f}: too good to be true; ask of each feature whether it is known before "
        "the label is, and give those that are not the role forbidden"
    )


@pytest.mark.proof("Every gate refuses on real data what it is there for")
@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (trained(rows=400, positive_rows=100), "training rows: 400"),
        (trained(positive_rows=49), "positive training rows: 49"),
    ],
)
def test_rows_refuses_few_rows(found: Trained, reason: str) -> None:
    coverage = Validated(30_000, 0.97, {})
    verdict = gates.rows(settings().gates.rows, coverage, found, evaluated())
    assert (verdict.outcome, verdict.reason) == ("refused", reason)


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_rows_refuses_few_evaluation_rows() -> None:
    few = judged(model(), between(OCTOBER, None).head(150))
    verdict = gates.rows(settings().gates.rows, Validated(600, 0.97, {}), trained(), few)
    assert verdict.outcome == "refused"
    assert verdict.reason.startswith(("evaluation rows: 150", "positive evaluation rows: "))


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_rows_refuses_a_table_with_too_few_labels() -> None:
    contract, frame = settings().contract, sample()
    known = frame[contract.label_column].mask(np.arange(len(frame)) % 4 == 0)
    coverage = float(data.label(contract, frame.assign(**{contract.label_column: known})).notna().mean())
    assert coverage == pytest.approx(0.75, abs=0.001)
    verdict = gates.rows(settings().gates.rows, Validated(len(frame), coverage, {}), trained(), evaluated())
    assert (verdict.outcome, verdict.reason) == ("refused", f"label coverage: {coverage:g}")


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_floor_refuses_a_model_of_permuted_labels() -> None:
    frame = between(None, OCTOBER)
    name = settings().contract.label_column
    permuted = frame.assign(**{name: frame[name].sample(frac=1, random_state=1).to_numpy()})
    verdict = gates.floor(settings().gates.floor, judged(fitted(permuted), between(OCTOBER, None)))
    assert verdict.outcome == "refused"


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_champion_refuses_a_model_of_the_last_months_only() -> None:
    """A rolling window forgets last winter: seen in October to December."""
    rolling = fitted(between(OCTOBER - pd.DateOffset(months=2), OCTOBER))
    found = judged(rolling, between(OCTOBER, None), champion=model())
    verdict = gates.champion(settings().gates.champion, found)
    assert verdict.outcome == "refused"
    assert verdict.value is not None
    assert verdict.value < -0.03
    assert verdict.reason.startswith("AUC -0.0")


def test_champion_passes_its_own_equal() -> None:
    found = judged(model(), between(OCTOBER, None), champion=model())
    verdict = gates.champion(settings().gates.champion, found)
    assert (verdict.outcome, verdict.value) == ("passed", 0.0)


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_slices_refuses_a_model_that_learned_one_group_the_wrong_way_round() -> None:
    """As when one airport's feed swaps its codes."""
    contract, frame = settings().contract, between(None, OCTOBER)
    late = data.label(contract, frame) == 1
    swapped = frame[contract.label_column].mask(frame["origin"] == "EWR", np.where(late, 0, 60))
    verdict = gates.slices(
        settings().gates.slices,
        judged(fitted(frame.assign(**{contract.label_column: swapped})), between(OCTOBER, None)),
    )
    assert verdict.outcome == "refused"
    assert verdict.reason.startswith("lowest AUC: 0.")
    assert verdict.reason.endswith("in origin EWR")


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_fairness_refuses_a_model_that_never_saw_one_groups_positives() -> None:
    frame = between(None, OCTOBER)
    late = data.label(settings().contract, frame) == 1
    unfair = fitted(frame[~(late & (frame["origin"] == "LGA"))])
    verdict = gates.fairness(settings().gates.fairness, judged(unfair, between(OCTOBER, None)))
    assert verdict.outcome == "refused"
    assert verdict.reason.startswith("true positive rates differ by 0.")


def test_fairness_reports_the_four_fifths_rule_and_can_demand_it() -> None:
    assert "fails the four-fifths rule" in gates.fairness(settings().gates.fairness, evaluated()).reason
    strict = settings().gates.fairness.model_copy(update={"min_selection_rate_ratio": 0.8})
    verdict = gates.fairness(strict, evaluated())
    assert (verdict.outcome, verdict.threshold) == ("refused", 0.8)


def test_slices_and_fairness_do_not_apply_to_small_groups() -> None:
    few = judged(model(), between(OCTOBER, None).head(400))
    assert all(group.auc is None for group in few.groups)
    assert gates.slices(settings().gates.slices, few).outcome == "not applicable"
    assert gates.fairness(settings().gates.fairness, few).outcome == "not applicable"


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_calibration_refuses_scores_that_promise_too_much() -> None:
    frame = between(OCTOBER, None)
    contract = settings().contract
    scores = np.sqrt(training.scores(contract, model(), frame))
    found = evaluation.evaluate(contract, settings().training, frame, scores, 0.24)
    assert found.metrics["auc"] == pytest.approx(evaluated().metrics["auc"], abs=1e-9)
    assert gates.calibration(settings().gates.calibration, found).outcome == "refused"


@cache
def network() -> bytes:
    """A graph of the model's own form with two dense layers of 4096 by 4096 weights."""
    width, inputs = 4096, len(features.input_names(settings().contract))
    generator = np.random.default_rng(1)
    shapes = {"first": (inputs, width), "second": (width, width), "third": (width, width), "last": (width, 1)}
    weights = [
        numpy_helper.from_array(generator.normal(0, 0.01, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    columns = numpy_helper.from_array(np.array([1]), "columns")
    through = ["features", *shapes]
    nodes = [
        helper.make_node("MatMul", [f"{before}.out" if before in shapes else before, name], [f"{name}.out"])
        for before, name in itertools.pairwise(through)
    ]
    nodes += [
        helper.make_node("Sigmoid", ["last.out"], ["column"]),
        helper.make_node("Squeeze", ["column", "columns"], ["score"]),
    ]
    taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", inputs])
    given_ = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["rows"])
    graph = helper.make_graph(nodes, "network", [taken], [given_], [*weights, columns])
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


@pytest.mark.proof("Every gate refuses on real data what it is there for")
def test_size_and_latency_refuse_a_large_network() -> None:
    matrix = features.encode(settings().contract, data.arrays(settings().contract, between(OCTOBER, None).head(100)))
    milliseconds = export.milliseconds(scoring.session(network()), np.nan_to_num(matrix))
    found = msgspec.structs.replace(good_export(), bytes=len(network()), milliseconds=milliseconds)
    size, latency = gates.size(settings().gates.size, found), gates.latency(settings().gates.latency, found)
    assert (size.outcome, size.reason) == ("refused", f"{len(network()) / 1e6:.2f} MB")
    assert latency.outcome == "refused"


@given(flips=st.integers(0, 3), unexplained=st.integers(0, 3), near=st.integers(0, 30), rows=st.integers(1_000, 20_000))
def test_parity_allows_a_few_rows_on_a_split_value_and_nothing_else(
    flips: int, unexplained: int, near: int, rows: int
) -> None:
    found = Parity(rows, 0, flips, near, unexplained, 1e-3)
    expected = "passed" if flips == unexplained == 0 and near <= rows / 1_000 else "refused"
    assert gates.parity(Exported(found, 1, 1.0)).outcome == expected


@given(low=st.floats(-0.5, 0.5), width=st.floats(0, 0.2))
def test_champion_depends_on_the_lower_end_alone(low: float, width: float) -> None:
    compared = reports.Comparison("c" * 64, 0.7, low + width / 2, (low, low + width))
    found = msgspec.structs.replace(evaluated(), champion=compared)
    verdict = gates.champion(settings().gates.champion, found)
    assert verdict.outcome == ("passed" if low >= -0.01 else "refused")
