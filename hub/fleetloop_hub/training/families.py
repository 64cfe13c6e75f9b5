"""The algorithms that can be tried; each gives a network and stops before it fits the noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.packaging.network import Layer, Network
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.examples import Examples

_ALPHA = 0.01
_HIDDEN = [64, 32]
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
        pipeline: Preprocessing and model, as scikit-learn has them.
        network: The same in numbers.
        parameters: What it was fitted with.
    """

    pipeline: Pipeline
    network: Network
    parameters: Parameters


def fit(candidate: CandidateTable, train: Examples, validation: Examples, seed: int) -> Fitted:
    """Fit one candidate; equal rows and seed give an equal network on the same machine.

    On one core: matrices this small gain nothing from two, and sums do not depend on how many.
    """
    ready = _preprocessing(train.values)
    with threadpool_limits(limits=1):
        if candidate.family == "linear":
            model, layers, parameters = _logistic(candidate, ready, train)
        else:
            model, layers, parameters = _mlp(candidate, ready, (train, validation), seed)
    given: Parameters = {"family": candidate.family, "alpha": candidate.alpha or _ALPHA}
    imputer, scaler = ready.named_steps["fill"], ready.named_steps["standardise"]
    return Fitted(
        pipeline=Pipeline([*ready.steps, ("model", model)]),
        network=Network(
            fill=imputer.statistics_.astype(np.float32),
            mean=scaler.mean_.astype(np.float32),
            sd=scaler.scale_.astype(np.float32),
            layers=layers,
        ),
        parameters=given | parameters,
    )


def _preprocessing(values: npt.NDArray[np.float32]) -> Pipeline:
    """Missing values become the median, features comparable; by the training rows alone."""
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    ready = Pipeline([("fill", fill), ("standardise", StandardScaler())])
    return ready.fit(values.astype(np.float64))


def _logistic(
    candidate: CandidateTable, ready: Pipeline, train: Examples
) -> tuple[LogisticRegression, list[Layer], Parameters]:
    model = LogisticRegression(C=1.0 / (candidate.alpha or _ALPHA), max_iter=_ITERATIONS)
    model.fit(ready.transform(train.values), train.truth)
    layers = [_layer(model.coef_.T, model.intercept_)]
    return model, layers, {"iterations": int(model.n_iter_[0])}


def _mlp(
    candidate: CandidateTable, ready: Pipeline, parts: tuple[Examples, Examples], seed: int
) -> tuple[MLPClassifier, list[Layer], Parameters]:
    """Adam in small batches, until the newer rows have not been told better for ten epochs.

    scikit-learn's own early stopping holds back rows at random, between those it fits on: in a
    time series these are no test, and of a few hundred rows they are too few.
    """
    train, validation = parts
    x, newer = ready.transform(train.values), ready.transform(validation.values)
    model = MLPClassifier(
        tuple(candidate.hidden or _HIDDEN),
        alpha=candidate.alpha or _ALPHA,
        batch_size=min(_BATCH_ROWS, len(x)),
        random_state=seed,
    )
    best, best_epoch, kept = np.inf, 0, (list[Floats](), list[Floats]())
    for epoch in range(1, _EPOCHS + 1):
        model.partial_fit(x, train.truth, classes=[False, True])
        loss = _log_loss(validation.truth, model.predict_proba(newer)[:, 1])
        if loss < best - _SMALLEST_GAIN or not best_epoch:
            best, best_epoch = loss, epoch
            kept = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
        elif epoch - best_epoch >= _PATIENCE:
            break
    model.coefs_, model.intercepts_ = kept
    layers = [_layer(weights, bias) for weights, bias in zip(*kept, strict=True)]
    return (
        model,
        layers,
        {"hidden": list(candidate.hidden or _HIDDEN), "epochs": best_epoch, "seed": seed},
    )


def _layer(weights: Floats, bias: Floats) -> Layer:
    return Layer(np.array(weights, dtype=np.float32), np.array(bias, dtype=np.float32))


def _log_loss(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    sure = np.clip(np.where(truth, scores, 1 - scores), _NEVER_CERTAIN, 1.0)
    return float(-np.log(sure).mean())
