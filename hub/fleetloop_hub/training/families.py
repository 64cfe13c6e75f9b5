"""The algorithms that can be tried; each gives a network and stops before it fits the noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.packaging.network import Layer, Network
from fleetloop_hub.spec import CandidateTable
from fleetloop_hub.training.examples import Examples

_ITERATIONS = 1_000
_EPOCHS = 200
_PATIENCE = 10
_BATCH_ROWS = 64
_SMALLEST_GAIN = 1e-4
_NEVER_CERTAIN = 1e-7

Floats = npt.NDArray[np.float64]
Parameters = dict[str, float | int | str | bool | list[int] | None]


@dataclass(frozen=True)
class Fitted:
    """A candidate that has been fitted.

    Attributes:
        network: What it has become.
        parameters: What it was fitted with.
    """

    network: Network
    parameters: Parameters


@dataclass(frozen=True)
class Scaler:
    """Makes features comparable, with numbers taken from the training rows alone.

    Attributes:
        fill: The median, for missing values.
        mean: Of the filled values.
        sd: Of the filled values, 1 for a feature that does not vary.
    """

    fill: Floats
    mean: Floats
    sd: Floats

    def apply(self, values: npt.NDArray[np.float32]) -> Floats:
        """Filled and standardised values."""
        scaled: Floats = (np.where(np.isnan(values), self.fill, values) - self.mean) / self.sd
        return scaled


def fit(candidate: CandidateTable, train: Examples, validation: Examples, seed: int) -> Fitted:
    """Fit one candidate; equal rows and seed give an equal network on the same machine.

    On one core: matrices this small gain nothing from two, and sums do not depend on how many.
    """
    scaler = _scaler(train.values)
    with threadpool_limits(limits=1):
        if candidate.family == "logistic":
            layers, parameters = _logistic(candidate, scaler, train)
        else:
            layers, parameters = _mlp(candidate, scaler, (train, validation), seed)
    given: Parameters = {"family": candidate.family, "alpha": candidate.alpha}
    return Fitted(
        network=Network(
            fill=scaler.fill.astype(np.float32),
            mean=scaler.mean.astype(np.float32),
            sd=scaler.sd.astype(np.float32),
            layers=layers,
        ),
        parameters=given | parameters,
    )


def _scaler(values: npt.NDArray[np.float32]) -> Scaler:
    fill = np.array([np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0 for c in values.T])
    filled = np.where(np.isnan(values), fill, values).astype(np.float64)
    mean, sd = filled.mean(axis=0), filled.std(axis=0)
    return Scaler(fill.astype(np.float64), mean, np.where(sd > 1e-9 * np.abs(mean), sd, 1.0))


def _logistic(
    candidate: CandidateTable, scaler: Scaler, train: Examples
) -> tuple[list[Layer], Parameters]:
    model = LogisticRegression(C=1.0 / candidate.alpha, max_iter=_ITERATIONS)
    model.fit(scaler.apply(train.values), train.truth)
    return [_layer(model.coef_.T, model.intercept_)], {"iterations": int(model.n_iter_[0])}


def _mlp(
    candidate: CandidateTable, scaler: Scaler, parts: tuple[Examples, Examples], seed: int
) -> tuple[list[Layer], Parameters]:
    """Adam in small batches, until the newer rows have not been told better for ten epochs.

    scikit-learn's own early stopping holds back rows at random, between those it fits on: in a
    time series these are no test, and of a few hundred rows they are too few.
    """
    train, validation = parts
    x, newer = scaler.apply(train.values), scaler.apply(validation.values)
    model = MLPClassifier(
        tuple(candidate.hidden),
        alpha=candidate.alpha,
        batch_size=min(_BATCH_ROWS, len(x)),
        random_state=seed,
    )
    best, best_epoch, layers = np.inf, 0, list[Layer]()
    for epoch in range(1, _EPOCHS + 1):
        model.partial_fit(x, train.truth, classes=[False, True])
        loss = _log_loss(validation.truth, model.predict_proba(newer)[:, 1])
        if loss < best - _SMALLEST_GAIN or not layers:
            best, best_epoch = loss, epoch
            layers = [_layer(w, b) for w, b in zip(model.coefs_, model.intercepts_, strict=True)]
        elif epoch - best_epoch >= _PATIENCE:
            break
    return layers, {"hidden": list(candidate.hidden), "epochs": best_epoch, "seed": seed}


def _layer(weights: Floats, bias: Floats) -> Layer:
    return Layer(np.array(weights, dtype=np.float32), np.array(bias, dtype=np.float32))


def _log_loss(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    sure = np.clip(np.where(truth, scores, 1 - scores), _NEVER_CERTAIN, 1.0)
    return float(-np.log(sure).mean())
