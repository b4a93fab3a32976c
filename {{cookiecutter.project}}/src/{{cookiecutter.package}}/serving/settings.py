"""What config/serving.yaml may say."""

from typing import Literal

from pydantic import Field, model_validator

from ..strict import Problem, Strict, contradictions


class Limits(Strict):
    """What one client may ask of the server."""

    rows: int = Field(ge=1, le=100_000)
    body_bytes: int = Field(ge=1024, le=2**30)
    header_seconds: float = Field(gt=0, le=300)
    body_seconds: float = Field(gt=0, le=300)
    concurrency: int = Field(ge=1, le=100_000)
    retry_seconds: int = Field(ge=1, le=3600)


class Batch(Strict):
    """How `make predict` works through a file."""

    rows: int = Field(ge=1, le=10_000_000)


class ServingSettings(Strict):
    """config/serving.yaml"""

    port: int = Field(ge=0, le=65535)
    metrics_port: int = Field(ge=0, le=65535)
    limits: Limits
    drain_seconds: float = Field(ge=0, le=300)
    prediction_log: Literal["off", "stdout"]
    batch: Batch

    @model_validator(mode="after")
    def _two_ports(self) -> "ServingSettings":
        same: list[Problem] = [("metrics_port", self.metrics_port, "must differ from port")]
        contradictions(same if self.port == self.metrics_port != 0 else [])
        return self
