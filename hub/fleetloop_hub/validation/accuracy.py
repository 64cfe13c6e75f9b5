"""What held-out labels say about a model's accuracy, by score: what estimates and tests rest on."""

import numpy as np

from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.validation_tables import GateTable
from fleetloop_hub.validation.bootstrap import draws, ends, interval
from fleetloop_hub.validation.metrics import Answers, Floats
from fleetloop_shared.drift.bins import score_places
from fleetloop_shared.estimate.records import ACCURACY, GATE, HELD_OUT, MAE, AccuracyReference
from fleetloop_shared.manifest import CLASSIFICATION, REGRESSION
from fleetloop_shared.profile import SCORE_BINS

SLACK = 0.02
"""What accuracy may lose before labels count against it, where no gate says how much."""

_CAP = 9.0
"""Squared distances count up to so many times their bound: three times its square root."""

_LEAST = 1e-9


def accuracy_reference(answers: Answers, spec: ModelSpec) -> AccuracyReference | None:
    """What a device is told about the accuracy of its model; None without labels.

    Args:
        answers: Of the packaged artifact, to held-out rows whose truth is known.
        spec: Its gate is what labels are tested against later.
    """
    if not len(answers):
        return None
    regression = answers.signature.task == REGRESSION
    distance = np.abs(answers.truth - answers.scores)
    worth = distance if regression else answers.right.astype(np.float64)
    places = score_places(answers.scores, answers.signature.score_low, answers.signature.score_high)
    counts = np.bincount(places, minlength=SCORE_BINS)
    expected, spread = _by_bin(places, worth, _claims(answers, worth))
    seed = spec.model.seed
    low, high = _mean_interval(worth, seed) if regression else interval(ACCURACY, answers, seed)
    bound, bound_from, balanced = _bound(answers, spec.gates, low)
    return AccuracyReference(
        metric=MAE if regression else ACCURACY,
        value=float(worth.mean()),
        low=low,
        high=high,
        rows=len(answers),
        counts=counts.tolist(),
        expected=_short(expected),
        spread=_short(spread),
        loss_bound=max(bound, _LEAST),
        loss_cap=max(bound * _CAP, _LEAST) if regression else 1.0,
        bound_from=bound_from,
        balanced=answers.signature.classes if balanced else [],
    )


def _short(values: Floats) -> list[float]:
    """Five digits: a manifest travels, and chance is in the third already."""
    return [float(f"{value:.5g}") for value in values]


def _claims(answers: Answers, worth: Floats) -> Floats:
    """What each answer says it is worth itself: its probability; nothing but the mean elsewhere.

    Only a classification's scores are probabilities; an anomaly's are not.
    """
    if answers.signature.task != CLASSIFICATION:
        return np.full(len(worth), worth.mean())
    classes = np.array(answers.signature.classes, np.float64)
    said = np.argmax(answers.labels[:, None] == classes, axis=1)
    claims: Floats = answers.outputs[np.arange(len(worth)), said].astype(np.float64)
    return claims


def _by_bin(places: np.ndarray, worth: Floats, claims: Floats) -> tuple[Floats, Floats]:
    """Expected worth of a row of each bin, and its standard deviation; 0 in a bin without rows.

    What was seen in a bin and what the answers claim are weighed by how sure they are (Efron and
    Morris, 1973): the claims' own error is the variance that is left of the differences once chance
    is taken off, so that honest claims are believed and others are not.
    """
    rows = np.bincount(places, minlength=SCORE_BINS).astype(np.float64)
    safe = np.maximum(rows, 1.0)
    seen = np.bincount(places, worth, SCORE_BINS) / safe
    claim = np.bincount(places, claims, SCORE_BINS) / safe
    variance = np.bincount(places, (worth - claim[places]) ** 2, SCORE_BINS).sum() / rows.sum()
    own = np.bincount(places, (worth - seen[places]) ** 2, SCORE_BINS) / safe
    spread = np.sqrt((own * rows + variance) / (rows + 1))
    gap = seen - claim
    dishonest = max(0.0, float((rows * gap**2 - spread**2 * (rows > 0)).sum() / rows.sum()))
    chance = spread**2 / safe
    trust = dishonest / np.maximum(dishonest + chance, _LEAST)
    return (claim + gap * trust) * (rows > 0), spread * (rows > 0)


def _mean_interval(worth: Floats, seed: int) -> tuple[float, float]:
    drawn = [weights @ worth / weights.sum(axis=1) for weights in draws(len(worth), seed)]
    return ends(np.concatenate(drawn), float(worth.mean()))


def _bound(answers: Answers, gates: GateTable, low: float) -> tuple[float, str, bool]:
    """The largest mean loss, where it comes from, and whether classes count alike in it.

    R² = 1 - MSE / variance, so that a floor of R² is a bound of the mean squared distance as long
    as labels vary as they did on the held-out rows.
    """
    if gates.metric == "r2":
        return (1 - gates.floor) * float(answers.truth.var()), GATE, False
    if gates.metric in {ACCURACY, "balanced_accuracy"}:
        return 1 - gates.floor, GATE, gates.metric != ACCURACY
    return 1 - low + SLACK, HELD_OUT, False
