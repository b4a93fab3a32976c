"""The model in memory: the verified bundle, its ONNX session, and the proof that it answers as it did in training."""

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .. import bundle, scoring
from ..contract import Contract
from ..errors import Refused
from ..features import Matrix
from .wire import Wire

GOLDEN_TOLERANCE = 1e-6
"""Another CPU need not give the last bit of a float32."""

Scores = NDArray[np.float32]

_OUTPUTS = [scoring.OUTPUT]


def cpu_limit(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many CPUs this process may use, rounded up: the control group's quota (cgroup v2), else the CPUs it may run on."""
    try:
        quota, period = cgroup.read_text(encoding="ascii").split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # no control group, or the word "max"
        affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
        return len(affinity(0)) if affinity else os.cpu_count() or 1


class Predictor:
    """One bundle, ready to answer."""

    def __init__(self, source: bundle.Bundle, version: str, max_rows: int) -> None:
        self.id, self.manifest, self.version = source.id, source.manifest, version
        self.contract = Contract.from_json(
            (source.folder / "contract.json").read_bytes(), f"{source.folder}/contract.json"
        )
        self.reference: dict[str, Any] = msgspec.json.decode((source.folder / "reference.json").read_bytes())
        self.wire = Wire(self.contract, max_rows)
        self.threshold = self.manifest.threshold
        self._session = scoring.session((source.folder / "model.onnx").read_bytes(), cpu_limit())

    @classmethod
    def load(cls, folder: Path, bundle_id: str, version: str, max_rows: int) -> "Predictor":
        """Verify the bundle in a folder and ask it the golden request; Refused when any of it is not as promised."""
        predictor = cls(bundle.read(folder, bundle_id), version, max_rows)
        predictor.prove()
        return predictor

    def scores(self, matrix: Matrix) -> Scores:
        """The probability of the positive class for each row."""
        found: Scores = self._session.run(_OUTPUTS, {scoring.INPUT: matrix})[0]
        return found

    def prove(self) -> None:
        """Ask the golden request, by the same way as a client's."""
        golden = self.manifest.golden
        request = self.wire.rows(msgspec.json.encode({"rows": [golden.request]}))
        score = float(self.scores(request.matrix)[0])
        if abs(score - golden.score) > GOLDEN_TOLERANCE or (score >= self.threshold) != golden.decision:
            raise Refused(
                f"bundle {self.id}: the golden request gave {score!r}, the manifest promises {golden.score!r} "
                f"({golden.decision}): this machine does not compute what was evaluated; do not serve it"
            )
