"""Models fitted in a world that will shift, calibrated on rows of their own, for estimates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge

from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Signature
from support.shifted_world import FEATURES, Drawn, Rows, draw

Floats = npt.NDArray[np.float64]
Scorer = Callable[[Rows], Floats]

LEARNED, CALIBRATED, HELD_OUT = 12_000, 3_000, 4_000


@dataclass(frozen=True)
class Fitted:
    """A model in a world.

    Attributes:
        name: Of the model and the world.
        score: What it says about rows.
        seen: All rows that there were before it was released.
        held_out: Those of them that nothing was fitted on.
        regression: Whether it says numbers.
    """

    name: str
    score: Scorer
    seen: Rows
    held_out: Drawn
    regression: bool

    def answers(self, drawn: Drawn) -> Answers:
        """What it answers to rows, with the truth."""
        scores = self.score(drawn.values)
        if self.regression:
            outputs = scores.astype(np.float32)[:, None]
            return Answers(drawn.value, outputs, _form(self.held_out.value))
        outputs = np.stack([1 - scores, scores], axis=1).astype(np.float32)
        return Answers(drawn.label, outputs, _form(None))


def fitted(world: int) -> Iterator[Fitted]:
    """Boosted trees, a straight line and a forest; then trees and a line that say numbers."""
    random = np.random.default_rng(world)
    learned, newer, held_out = (draw(random, n) for n in (LEARNED, CALIBRATED, HELD_OUT))
    rows = _filled(learned.values)
    seen = np.concatenate([part.values for part in (learned, newer, held_out)])  # no frames
    for name, model in {
        "trees": HistGradientBoostingClassifier(max_iter=150, random_state=world),
        "line": LogisticRegression(max_iter=1_000),
        "forest": RandomForestClassifier(100, random_state=world),
    }.items():
        model.fit(rows, learned.label)
        score = _calibrated(model, newer, isotonic=name == "forest")
        yield Fitted(f"{name}-{world}", score, seen, held_out, regression=False)
    for name, model in {
        "trees-values": HistGradientBoostingRegressor(max_iter=150, random_state=world),
        "line-values": Ridge(),
    }.items():
        model.fit(rows, learned.value)
        yield Fitted(f"{name}-{world}", _predicting(model), seen, held_out, regression=True)


def _form(values: Floats | None) -> Signature:
    return Signature(
        input_name="x",
        score_name="y",
        features=FEATURES,
        classes=[0, 1] if values is None else [],
        positive=1 if values is None else -1,
        decision_threshold=0.5,
        task="classification" if values is None else "regression",
        score_low=0.0 if values is None else float(values.min()),
        score_high=1.0 if values is None else float(values.max()),
    )


def _filled(values: Rows) -> Rows:
    return np.nan_to_num(values)


def _predicting(model: Any) -> Scorer:  # noqa: ANN401  # of scikit-learn
    return lambda values: np.asarray(model.predict(_filled(values)), np.float64)


def _calibrated(model: Any, newer: Drawn, *, isotonic: bool) -> Scorer:  # noqa: ANN401  # the same
    def raw(values: Rows) -> Floats:
        raw: Floats = np.clip(model.predict_proba(_filled(values))[:, 1], 1e-7, 1 - 1e-7)
        return raw

    if isotonic:
        steps = IsotonicRegression(out_of_bounds="clip").fit(raw(newer.values), newer.label)
        return lambda values: np.asarray(steps.predict(raw(values)), np.float64)

    def odds(values: Rows) -> Floats:
        column: Floats = np.log(raw(values) / (1 - raw(values)))[:, None]
        return column

    sigmoid = LogisticRegression().fit(odds(newer.values), newer.label)
    return lambda values: np.asarray(sigmoid.predict_proba(odds(values))[:, 1], np.float64)
