"""What config/serving.yaml may say."""

from typing import Literal

from pydantic import Field, model_validator

from ..strict import Problem, Strict, contradictions


class Limits(Strict):
    """What one client may ask of the server."""

    rows: int = Field(ge=1, le=100_000, description="Rows of one request at most.")
    body_bytes: int = Field(ge=1024, le=2**30, description="Bytes of a request's body at most.")
    header_seconds: float = Field(gt=0, le=300, description="Seconds from the connection to the last header at most.")
    body_seconds: float = Field(
        gt=0, le=300, description="Seconds from the last header to the last byte of the body at most."
    )
    concurrency: int = Field(
        ge=1, le=100_000, description="Requests under way at once at most; one more is answered with 503."
    )
    concurrent_bytes: int = Field(
        ge=1024,
        le=2**32,
        description="Bytes of all whole bodies under way at once at most, `body_bytes` at least; one more is answered with 503.",
    )
    retry_seconds: int = Field(
        ge=1, le=3600, description="Seconds after which a client that got the 503 should come back (Retry-After)."
    )

    @model_validator(mode="after")
    def _the_largest_fits(self) -> "Limits":
        small: list[Problem] = [("concurrent_bytes", self.concurrent_bytes, "must be at least body_bytes")]
        contradictions(small if self.concurrent_bytes < self.body_bytes else [])
        return self


class Batch(Strict):
    """How `make predict` works through a file."""

    rows: int = Field(ge=1, le=10_000_000, description="Rows that are read, scored and written at once.")


class ServingSettings(Strict):
    """config/serving.yaml"""

    port: int = Field(ge=0, le=65535, description="Port of the API; 0 is any free one.")
    metrics_port: int = Field(ge=0, le=65535, description="Port of /metrics, another than `port`; 0 is any free one.")
    limits: Limits
    drain_seconds: float = Field(ge=0, le=300, description="Seconds for which the server still answers after SIGTERM.")
    prediction_log: Literal["off", "stdout"] = Field(description="Where each prediction is logged (prediction-log.md).")
    batch: Batch

    @model_validator(mode="after")
    def _two_ports(self) -> "ServingSettings":
        same: list[Problem] = [("metrics_port", self.metrics_port, "must differ from port")]
        contradictions(same if self.port == self.metrics_port != 0 else [])
        return self
