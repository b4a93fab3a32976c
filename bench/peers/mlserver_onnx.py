"""MLServer around the same ONNX file, by a custom runtime as its manual describes: it has none for ONNX.

The tensor arrives encoded: no column is checked and no category looked up, which favours MLServer.
"""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from .graph import positive, session


class Onnx(MLModel):
    """The graph behind the Open Inference Protocol."""

    async def load(self) -> bool:
        """Open the session."""
        self.session = session()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Score the rows of the request's one tensor."""
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype("float32", copy=False)
        scores = positive(self.session.run(None, {"features": rows}))
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[NumpyCodec.encode_output("score", scores)],
        )
