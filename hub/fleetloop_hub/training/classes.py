"""The classes that the rows of a dataset version bear."""

import numpy as np

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.labels import class_numbers, positive_number
from fleetloop_hub.spec.model_spec import ModelSpec

_FEWEST = 2
_MOST = 1_000


def classes_of(frame: Frame, spec: ModelSpec) -> list[int]:
    """The labels as numbers, ascending, as the outputs of the model will have them.

    Raises:
        TrainingError: Too few, too many, or none of two is the positive one.
    """
    if spec.model.task == "regression":
        return []
    if spec.model.task == "anomaly":
        return [0, 1]
    found = [int(number) for number in np.unique(frame.label[np.isfinite(frame.label)])]
    classes = class_numbers(spec.label) or found
    if not _FEWEST <= len(classes) <= _MOST or len(found) < _FEWEST:
        raise TrainingError(
            f"the rows bear the labels {found[:10]}; a classification needs 2 to {_MOST:,}: add "
            "rows, or see label.column"
        )
    if len(classes) == _FEWEST and positive_number(spec) not in classes:
        raise TrainingError(
            f"the rows bear the labels {found[:10]}, and label.positive = "
            f"{spec.label.positive} is none of them; write one of them"
        )
    return sorted(classes)
