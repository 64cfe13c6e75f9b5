"""What a single value of the spec may be; every table is made of these."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_shared.ids import NAME

Name = Annotated[str, Meta(pattern=f"^{NAME}$")]
Column = Annotated[str, Meta(min_length=1, max_length=200)]
Positive = Annotated[int, Meta(ge=1)]
Above = Annotated[float, Meta(gt=0.0)]
Seconds = Annotated[float, Meta(ge=0.0)]
Hours = Annotated[float, Meta(ge=0.0, le=8_760.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Phase = Annotated[float, Meta(gt=0.0, le=1.0)]
Width = Annotated[int, Meta(ge=1, le=4096)]
Task = Literal["classification", "regression", "anomaly"]
Metric = Literal["accuracy", "balanced_accuracy", "roc_auc", "average_precision", "f1", "r2"]
Family = Literal[
    "linear",
    "mlp",
    "random-forest",
    "extra-trees",
    "gradient-boosting",
    "svm",
    "knn",
    "isolation-forest",
    "one-class-svm",
]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the spec; a key it does not know is an error, not a silence."""
