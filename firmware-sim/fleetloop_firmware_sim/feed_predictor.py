"""Feeds a sensor's rows to an agent in this process."""

from collections.abc import Sequence

import numpy as np

from fleetloop_agent.errors import InputError, ModelError, NoModelError
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_firmware_sim.errors import FeedError
from fleetloop_firmware_sim.recording import Recording, Truth
from fleetloop_firmware_sim.sensor import Answer, Feeder, Given


class PredictorFeeder(Feeder):
    """In process; what a model fails on is offered again, to the model that comes after it."""

    def __init__(self, predictor: Predictor) -> None:
        """Nothing is fed yet.

        Args:
            predictor: The agent's.
        """
        self._predictor = predictor

    def columns(self) -> list[str] | None:
        manifest = self._predictor.manifest
        return None if manifest is None else [f.name for f in manifest.signature.features]

    def predict(self, rows: Given) -> list[Answer] | None:
        """As the feeder; where the model has categories, numbers are values, as over HTTP."""
        manifest = self._predictor.manifest
        features = [] if manifest is None else manifest.signature.features
        if isinstance(rows, np.ndarray) and any(f.categories for f in features):
            rows = Recording([f.name for f in features], rows, []).named()
        try:
            answers = self._predictor.predict(rows)
        except (NoModelError, ModelError):
            return None
        except InputError as error:
            raise FeedError(f"the device refuses these rows: {error}") from error
        return [Answer(a.prediction_id, a.label, a.score, a.version, a.class_name) for a in answers]

    def feedback(self, labels: Sequence[tuple[str, Truth]]) -> None:
        try:
            self._predictor.feedback(labels)
        except InputError as error:
            raise FeedError(f"the device refuses these labels: {error}") from error
