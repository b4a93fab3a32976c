"""config/*.yaml as frozen objects, and the few values that come from the environment. Nothing else reads either."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar, cast, overload

from pydantic import Field, model_validator

from . import store
from .contract import Contract
from .errors import Refused
from .serving.settings import ServingSettings
from .strict import Problem, Strict, contradictions, parse, read_yaml

Read = TypeVar("Read", bound=Strict)

LAPTOP = "laptop"
"""The environment that is this machine; a verb means it when none is named."""

GATES = ("contract", "rows", "floor", "champion", "slices", "fairness", "calibration", "parity", "size", "latency")
"""Every gate, in the order in which verdicts are shown."""

GateName = Literal[
    "contract", "rows", "floor", "champion", "slices", "fairness", "calibration", "parity", "size", "latency"
]


class Split(Strict):
    evaluation: float = Field(gt=0, lt=1, description="Share of the rows that are for evaluation: the latest by time.")


class Model(Strict):
    max_iterations: int = Field(ge=1, le=10_000, description="Number of trees.")
    learning_rate: float = Field(gt=0, le=1, description="How much of its correction each tree adds.")
    max_leaf_nodes: int = Field(ge=2, description="Leaves of a tree at most.")
    min_rows_per_leaf: int = Field(ge=1, description="Training rows in a leaf at least.")
    l2: float = Field(ge=0, description="L2 penalty on the leaves' values; 0 is none.")


class Costs(Strict):
    false_alarm: float = Field(gt=0, description="Cost of flagging a negative row; only its ratio to `miss` matters.")
    miss: float = Field(gt=0, description="Cost of not flagging a positive row.")

    @property
    def threshold(self) -> float:
        """The score from which flagging costs less than not flagging, if scores are probabilities."""
        return self.false_alarm / (self.false_alarm + self.miss)


class EvaluationSettings(Strict):
    confidence: float = Field(gt=0.5, lt=1, description="Confidence level of every interval.")
    bootstrap_samples: int = Field(ge=100, le=100_000, description="Resamples from which an interval is taken.")
    group_min_rows: int = Field(ge=1, description="Rows from which a group of a slice is reported and gated.")
    calibration_bins: int = Field(
        ge=2, le=100, description="Bins of equal row counts in which calibration is measured."
    )


class Training(Strict):
    """config/training.yaml"""

    seed: int = Field(ge=0, lt=2**32, description="Seed of all that is random.")
    split: Split = Field(description="Which rows are for evaluation.")
    model: Model = Field(description="The settings of the model.")
    costs: Costs = Field(description="What wrong decisions cost; the threshold follows from it.")
    evaluation: EvaluationSettings = Field(description="How a model is judged.")


class ContractGate(Strict):
    max_single_feature_auc: float = Field(gt=0.5, le=1, description="Highest AUC that a feature alone may have.")
    max_auc: float = Field(gt=0.5, le=1, description="Highest AUC that the model may have.")


class RowsGate(Strict):
    min_training_rows: int = Field(ge=1, description="Least rows with a label in training.")
    min_evaluation_rows: int = Field(ge=1, description="Least rows with a label in evaluation.")
    min_positive_rows: int = Field(ge=1, description="Least positive rows in each of the two.")
    min_label_coverage: float = Field(ge=0, le=1, description="Least share of all rows that have a label.")


class FloorGate(Strict):
    min_auc: float = Field(ge=0.5, le=1, description="Least AUC, at the lower end of its interval.")
    min_brier_skill: float = Field(
        ge=-1, lt=1, description="Least share of the base rate's Brier score that the model takes away."
    )


class ChampionGate(Strict):
    max_auc_loss: float = Field(
        ge=0, le=1, description="Largest loss of AUC against the champion, at the lower end of the interval."
    )


class SlicesGate(Strict):
    min_auc: float = Field(ge=0, le=1, description="Least AUC in every group of every slice.")


class FairnessGate(Strict):
    max_equal_opportunity_difference: float = Field(
        ge=0, le=1, description="Largest difference of the true positive rates of a slice's groups."
    )
    min_selection_rate_ratio: float | None = Field(
        None, ge=0, le=1, description="Least ratio of the lowest to the highest share of flagged rows in a slice."
    )


class CalibrationGate(Strict):
    max_error: float = Field(
        gt=0, le=1, description="Largest root mean square of promised less seen rate, less what chance alone shows."
    )


class SizeGate(Strict):
    max_megabytes: float = Field(gt=0, description="Largest model.onnx, in 10⁶ bytes.")


class LatencyGate(Strict):
    max_milliseconds: float = Field(gt=0, description="Longest median time of one row on one thread, in milliseconds.")


class EnvironmentRule(Strict):
    """Where an environment's models come from, who must agree, and which gates a promotion runs again."""

    after: str | None = Field(
        None, description="The environment whose bundles may be promoted here; the first has none."
    )
    approval: Literal["none", "file"] = Field(
        description="`file`: a promotion needs a committed approval, see governance/approvals."
    )
    gates: tuple[Literal["champion"], ...] = Field(
        (), description="Gates that a promotion runs again, against the champion of this environment."
    )


class Gates(Strict):
    """config/gates.yaml"""

    contract: ContractGate = Field(description="Nothing that the model sees tells the label.")
    rows: RowsGate = Field(description="Enough rows to fit and to judge.")
    floor: FloorGate = Field(description="Better than guessing, and than answering the base rate.")
    champion: ChampionGate = Field(description="Not worse than the champion on the same rows.")
    slices: SlicesGate = Field(description="Of use in every group that is large enough.")
    fairness: FairnessGate = Field(description="Positive rows of every group are found equally often.")
    calibration: CalibrationGate = Field(description="A score of .3 means that three of ten are positive.")
    size: SizeGate = Field(description="Small enough to fetch and to hold in every pod.")
    latency: LatencyGate = Field(description="Fast enough for one row on one thread.")
    environments: dict[str, EnvironmentRule] = Field(
        min_length=1, description="The environments by name; each chain of `after` ends at one that has none."
    )

    @model_validator(mode="after")
    def _known_order(self) -> "Gates":
        contradictions(problem for name in self.environments for problem in self._order_problems(name))
        return self

    def _order_problems(self, name: str) -> list[Problem]:
        place, seen, current = f"environments.{name}.after", {name}, self.environments[name].after
        while current is not None:
            if current not in self.environments:
                return [(place, current, f"must be one of {', '.join(self.environments)}")]
            if current in seen:
                return [
                    (place, self.environments[name].after, "leads back to itself; one environment must be the first")
                ]
            seen.add(current)
            current = self.environments[current].after
        return []


class Reference(Strict):
    bins: int = Field(ge=2, le=128, description="Most bins of a number and of the score, of equal row counts.")


class Monitoring(Strict):
    """config/monitoring.yaml"""

    reference: Reference = Field(description="The reference profile: what live traffic is compared with.")


@dataclass(frozen=True)
class Environment:
    """One environment and where it keeps its bundles and its registry."""

    name: str
    rule: EnvironmentRule
    store_uri: str
    registry_uri: str
    model_name: str


class _File(Generic[Read]):
    """A field that is read from its file when it is first asked for: a mistake there stops only what needs that file."""

    def __init__(self, model: type[Read], name: str) -> None:
        self._model, self._name = model, name

    def __set_name__(self, owner: type, field: str) -> None:
        self._field = field

    @overload
    def __get__(self, settings: None, owner: type) -> Self: ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> Read: ...
    def __get__(self, settings: "Settings | None", owner: type) -> Self | Read:
        if settings is None:  # the dataclass asks for the default
            return self
        if self._field not in vars(settings):
            file = f"config/{self._name}.yaml"
            vars(settings)[self._field] = parse(self._model, read_yaml(settings.root / file, file), file)
        return cast(Read, vars(settings)[self._field])

    def __set__(self, settings: "Settings", value: Read | Self) -> None:
        if value is not self:
            vars(settings)[self._field] = value


@dataclass(frozen=True)
class Settings:
    """All of the configuration of one project."""

    root: Path
    project: str
    package: str
    title: str
    description: str
    owner: str
    contract: _File[Contract] = _File(Contract, "data")
    training: _File[Training] = _File(Training, "training")
    gates: _File[Gates] = _File(Gates, "gates")
    serving: _File[ServingSettings] = _File(ServingSettings, "serving")
    monitoring: _File[Monitoring] = _File(Monitoring, "monitoring")

    @classmethod
    def load(cls, root: Path | None = None) -> "Settings":
        """The project at `root` (else $PROJECT_ROOT, else the working directory).

        Each file of config/ is read when it is asked for; Refused then lists every problem of it.
        """
        root = (root or Path(os.environ.get("PROJECT_ROOT", "."))).resolve()
        known = answers(root)
        return cls(root, **{name: known[name] for name in ("project", "package", "title", "description", "owner")})

    def checked(self) -> Self:
        """Read every file now, for what must not stop halfway; Refused lists every problem of all of them."""
        problems = []
        for each in fields(self):
            try:
                getattr(self, each.name)
            except Refused as refused:
                problems.append(str(refused))
        if problems:
            raise Refused("\n".join(problems))
        return self

    def environment(self, name: str) -> Environment:
        """The environment of that name; its things are in artifacts/, unless ARTIFACT_URI and MLFLOW_TRACKING_URI say where."""
        if name not in self.gates.environments:
            known = ", ".join(self.gates.environments)
            raise Refused(
                f"environment {name}: not in config/gates.yaml: environments; use one of {known}, or add it there"
            )
        model_name = f"{self.project}-{name}"
        artifacts = store.stated(name) or (self.artifacts / "store").as_uri()
        return Environment(
            name=name,
            rule=self.gates.environments[name],
            store_uri=f"{artifacts.rstrip('/')}/{model_name}",
            registry_uri=os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.artifacts / 'mlflow.db'}",
            model_name=model_name,
        )

    def overlay(self, name: str) -> Path | None:
        """The folder that says where in a cluster an environment is; None for one that is in none."""
        folder = self.root / "k8s" / "overlays" / name
        return folder if folder.is_dir() else None

    @property
    def artifacts(self) -> Path:
        """The folder of working files, outside version control; ARTIFACTS_DIR names another where the root is read-only."""
        return self.root / (os.environ.get("ARTIFACTS_DIR") or "artifacts")


def answers(root: Path) -> dict[str, Any]:
    """What was answered when the project was generated; Refused where there is no project."""
    try:
        return dict(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["mlops-template"]["answers"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise Refused(
            f"{root}: this is no project (pyproject.toml has no [tool.mlops-template.answers]); run from its folder"
        ) from None
