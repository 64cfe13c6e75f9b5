"""Chooses how raw scores become probabilities, by what newer rows say.

A method is tried by cross-validated log loss over blocks of the validation rows in time: neighbours
in time resemble each other, so that rows drawn at random would flatter the more flexible one.
Methods are tried from the stiffest to the most flexible; the next is taken only if it gains more
than one standard error of the rows' differences.
"""

from collections.abc import Callable

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from fleetloop_hub.packaging.head import Calibration, Doubles, Head
from fleetloop_hub.spec.scalars import Family

_BLOCKS = 5
_KNOTS = 32
_FEWEST_ROWS = 20
_NEVER_CERTAIN = 1e-7
_WEAK_PENALTY = 1e6
_STEEPEST, _FLATTEST = 20.0, 0.05
_HALVINGS = 60
_SURE_OF_NOTHING = frozenset({"svm"})
"""Families whose scores are no probabilities before they are calibrated."""

_Fit = Callable[[Doubles, Doubles], Calibration]


def choose(
    demanded: str, family: Family, raw: Doubles, truth: Doubles, positive: int
) -> Calibration:
    """The calibration to put into the graph.

    Args:
        demanded: `training.calibration` of the spec.
        family: Of the model.
        raw: Its outputs on validation rows in order of time, shape (rows, classes).
        truth: The place of each row's class.
        positive: The column of the positive class, -1 with several classes.
    """
    if positive < 0:
        methods: dict[str, _Fit] = {"temperature": _temperature}
        wanted = demanded if demanded in {"none", "auto"} else "temperature"
    else:
        methods, wanted = {"sigmoid": _sigmoid, "isotonic": _isotonic}, demanded
        raw, truth = raw[:, positive], (truth == positive).astype(np.float64)
    if wanted == "none" or len(np.unique(truth)) < 2:  # noqa: PLR2004  # nothing can be learned from one class
        return Calibration()
    if wanted != "auto":
        return methods[wanted](raw, truth)
    return _best(methods, raw, truth, start=family not in _SURE_OF_NOTHING)


def _best(methods: dict[str, _Fit], raw: Doubles, truth: Doubles, *, start: bool) -> Calibration:
    """The method after which no more flexible one gains anything; none, if it may `start` so."""
    if len(raw) < _FEWEST_ROWS:
        return Calibration() if start else next(iter(methods.values()))(raw, truth)
    taken: _Fit = lambda _raw, _truth: Calibration()  # noqa: E731  # "none", in the form of the others
    lost = _lost(taken, raw, truth) if start else np.full(len(raw), np.inf)
    for method in methods.values():
        theirs = _lost(method, raw, truth)
        gain = lost - theirs
        if not np.isfinite(gain).all() or gain.mean() > gain.std() / np.sqrt(len(gain)):
            taken, lost = method, theirs
    return taken(raw, truth)


def _lost(fit: _Fit, raw: Doubles, truth: Doubles) -> Doubles:
    """The log loss of each row under a calibration that was fitted on the other blocks."""
    lost = np.zeros(len(raw))
    for block in np.array_split(np.arange(len(raw)), _BLOCKS):
        rest = np.setdiff1d(np.arange(len(raw)), block)
        one_class = len(np.unique(truth[rest])) < 2  # noqa: PLR2004  # yes and no
        calibration = Calibration() if one_class else fit(raw[rest], truth[rest])
        lost[block] = _log_loss(apply(calibration, raw[block]), truth[block])
    return lost


def apply(calibration: Calibration, raw: Doubles) -> Doubles:
    """Calibrated scores of raw ones: shape (rows,) for two classes, else (rows, classes)."""
    several = raw.ndim > 1
    outputs = raw if several else np.column_stack([1 - raw, raw])
    head = Head(calibration=calibration, positive=-1 if several else 1)
    calibrated = head.apply(outputs, np.empty((len(raw), 0), np.float32))
    return calibrated if several else calibrated[:, 1]


def _log_loss(sure: Doubles, truth: Doubles) -> Doubles:
    told = (
        np.where(truth == 1, sure, 1 - sure)
        if sure.ndim == 1
        else sure[np.arange(len(sure)), truth.astype(int)]
    )
    lost: Doubles = -np.log(np.clip(told, _NEVER_CERTAIN, 1.0))
    return lost


def _sigmoid(score: Doubles, truth: Doubles) -> Calibration:
    """Platt's (1999): slope and shift of the logit, towards targets that are never quite certain.

    A slope that is not above 0 would turn the order of rows round; then there is none.
    """
    sure = np.clip(score, _NEVER_CERTAIN, 1 - _NEVER_CERTAIN)
    logit = np.log(sure / (1 - sure))[:, None]
    yes = float(truth.sum())
    no = len(truth) - yes
    target = np.where(truth == 1, (yes + 1) / (yes + 2), 1 / (no + 2))
    model = LogisticRegression(C=_WEAK_PENALTY)
    model.fit(
        np.concatenate([logit, logit]),
        np.repeat([1, 0], len(truth)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Calibration("sigmoid", (slope, shift)) if slope > 0 else Calibration()


def _isotonic(score: Doubles, truth: Doubles) -> Calibration:
    """Rising steps (Zadrozny and Elkan, 2002), joined by lines through at most 32 points."""
    ends = 1 / (len(truth) + 2)
    model = IsotonicRegression(y_min=ends, y_max=1 - ends, out_of_bounds="clip")
    model.fit(score, truth)
    x = np.asarray(model.X_thresholds_, np.float32)
    y = np.asarray(model.y_thresholds_, np.float64)
    rising = np.flatnonzero(np.diff(x, prepend=np.float32(-np.inf)) > 0)
    if len(rising) > _KNOTS:
        rising = rising[np.rint(np.linspace(0, len(rising) - 1, _KNOTS)).astype(int)]
    return Calibration("isotonic", tuple(x[rising].tolist()), tuple(y[rising].tolist()))


def _temperature(raw: Doubles, truth: Doubles) -> Calibration:
    """One over the temperature (Guo et al., 2017), where the convex log loss is least."""
    low, high = np.log(_FLATTEST), np.log(_STEEPEST)
    for _ in range(_HALVINGS):
        third = (high - low) / 3
        if _tempered(low + third, raw, truth) < _tempered(high - third, raw, truth):
            high -= third
        else:
            low += third
    return Calibration("temperature", (float(np.exp((low + high) / 2)),))


def _tempered(power: float, raw: Doubles, truth: Doubles) -> float:
    calibration = Calibration("temperature", (float(np.exp(power)),))
    return float(_log_loss(apply(calibration, raw), truth).mean())
