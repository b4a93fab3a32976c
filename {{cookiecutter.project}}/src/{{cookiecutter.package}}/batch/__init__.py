"""Whole tables through the champion, a part at a time: as fast as the disk and the model allow, in the memory of a few parts."""

from .predicting import Predicted, predict, predict_with

__all__ = ["Predicted", "predict", "predict_with"]
