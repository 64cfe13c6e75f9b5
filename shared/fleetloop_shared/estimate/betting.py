"""An anytime-valid test with labels: is the model still as good as its gate demands?"""

import math
import sys

from fleetloop_shared.estimate.records import BALANCED, MAE, AccuracyReference, LabelEvidence

RISK = 0.01
"""The chance of a false alarm, ever, however long labels go on to come."""

HALF_LIVES = (64.0, 256.0, 1024.0)
"""Labels after which each bettor has half forgotten."""

_SURE = 0.5
_LARGEST_STAKE = 0.5
_PRIOR_LABELS = 2.0
_LEAST_VARIANCE = 1e-4
_LEAST_BOUND = 1e-4
_LARGEST_LOG = 700.0


class LabelTest:
    r"""Bets against "the mean loss is at most the bound", one label at a time.

    $$K_t = \frac1J \sum_j \prod_{i \le t} \bigl(1 + \lambda_{ij} (x_i - b)\bigr), \qquad
    \lambda_{tj} = \frac{\bar x_{tj} - b}{s_{tj}^2 + (\bar x_{tj} - b)^2}$$

    where $x_i = \min(\ell_i, c) / c$ is the loss of answer $i$ in units of its cap, $b$ the bound
    in the same units, and $\bar x_{tj}$, $s_{tj}^2$ mean and variance of the losses *before* label
    $t$, which bettor $j$ forgets with a half-life of 64, 256 or 1,024 labels. As long as the
    expected loss is at most the bound, whatever came before, no bet gains on average; so
    $P(\exists t: K_t \ge 1/\alpha) \le \alpha$ (Ville): it may be looked at after every label, for
    ever. A capped loss is at most the loss, so that the cap costs power, never validity.

    A bettor stakes only while the losses that it remembers are half a standard error above the
    bound. So thousands of good labels cost little of what is needed when the world has changed. DDM
    and its kin alarm 0.3 to 0.5 times in 2,000 labels where nothing has happened.

    Where classes count alike, labels are gathered into rounds: the newest answer to a row of each
    class, whose mean loss is one minus the balanced accuracy; a round is bet on as one label is.

    Bounded: some twenty numbers and three a class, whatever the number of labels; made anew, it
    begins anew.

    Examples:
        >>> reference = AccuracyReference(
        ...     metric="accuracy", value=0.9, low=0.88, high=0.92, rows=1000, counts=[1000],
        ...     expected=[0.9], spread=[0.3], loss_bound=0.15, loss_cap=1.0, bound_from="gate")
        >>> test = LabelTest(reference)
        >>> for turn in range(1000):
        ...     test.add(said=1, label=float(turn % 10 != 0))
        >>> test.evidence().alarm, test.evidence().value
        (False, 0.9)
        >>> for turn in range(200):
        ...     test.add(said=1, label=float(turn % 2 != 0))
        >>> test.evidence().alarm
        True

    References:
        I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting",
        Journal of the Royal Statistical Society B 86 (2024), sections 3 and B.2; A. Podkopaev and
        A. Ramdas, "Tracking the risk of a deployed model and detecting harmful distribution
        shifts", ICLR (2022).
    """

    def __init__(self, reference: AccuracyReference) -> None:
        """No label was seen yet.

        Args:
            reference: Bound and cap of the loss, and the metric.
        """
        self._reference = reference
        bound = min(max(reference.loss_bound / reference.loss_cap, _LEAST_BOUND), 1.0)
        self._bettors = [_Bettor(bound, half_life) for half_life in HALF_LIVES]
        self._round: dict[float, float] = {}
        self._worth: dict[float, float] = dict.fromkeys(map(float, reference.balanced), 0.0)
        self._came: dict[float, int] = dict.fromkeys(self._worth, 0)
        self._labels = 0
        self._log_e = self._largest = 0.0
        self._since: int | None = None

    def add(self, said: float, label: float) -> None:
        """Weigh one label.

        Args:
            said: What was answered: a class, or the number of a regression.
            label: What was true.
        """
        distance = abs(said - label)
        regression = self._reference.metric == MAE
        loss = distance * distance if regression else float(said != label)
        x = min(loss / self._reference.loss_cap, 1.0)
        self._labels += 1
        if not self._reference.balanced:
            self._note(0.0, distance if regression else 1.0 - loss)
            self._bet(x)
        elif label in self._worth:
            self._note(label, 1.0 - loss)
            self._round[label] = x
            if len(self._round) == len(self._worth):
                self._bet(sum(self._round.values()) / len(self._round))
                self._round = {}

    def _note(self, group: float, worth: float) -> None:
        self._worth[group] = min(self._worth.get(group, 0.0) + worth, sys.float_info.max)
        self._came[group] = self._came.get(group, 0) + 1

    def _bet(self, x: float) -> None:
        for bettor in self._bettors:
            bettor.see(x)
        top = max(bettor.log_wealth for bettor in self._bettors)
        mean = sum(math.exp(b.log_wealth - top) for b in self._bettors) / len(self._bettors)
        self._log_e = top + math.log(mean)
        self._largest = max(self._largest, self._log_e)
        if self._since is None and self._log_e >= -math.log(RISK):
            self._since = self._labels

    @property
    def alarm(self) -> bool:
        """Whether the labels have ever spoken clearly against the demand."""
        return self._since is not None

    def evidence(self) -> LabelEvidence:
        """What the labels up to now say."""
        reference = self._reference
        bound = reference.loss_bound
        return LabelEvidence(
            labels=self._labels,
            metric=BALANCED if reference.balanced else reference.metric,
            value=self._value(),
            demanded=math.sqrt(bound) if reference.metric == MAE else 1 - bound,
            demanded_by=reference.bound_from,
            e_value=math.exp(min(self._log_e, _LARGEST_LOG)),
            largest=math.exp(min(self._largest, _LARGEST_LOG)),
            alarm=self.alarm,
            since_label=self._since,
        )

    def _value(self) -> float | None:
        """The mean over groups of their means; None while one has not come."""
        if not self._came or not all(self._came.values()):
            return None
        means = [self._worth[group] / came for group, came in self._came.items()]
        return sum(means) / len(means)


class _Bettor:
    """Remembers losses, the older the less, and stakes on the next one what they advise."""

    def __init__(self, bound: float, half_life: float) -> None:
        self.log_wealth = 0.0
        self._bound = bound
        self._fade = 0.5 ** (1 / half_life)
        self._losses = self._squares = self._weight = self._squared_weights = 0.0

    def see(self, x: float) -> None:
        """Win or lose what was staked, then remember."""
        self.log_wealth += math.log1p(self._stake() * (x - self._bound))
        fade = self._fade
        self._losses = self._losses * fade + x
        self._squares = self._squares * fade + x * x
        self._weight = self._weight * fade + 1.0
        self._squared_weights = self._squared_weights * fade * fade + 1.0

    def _stake(self) -> float:
        """What the losses before this one advise; the first two are made up, at the bound."""
        weight = self._weight + _PRIOR_LABELS
        mean = (self._losses + _PRIOR_LABELS * self._bound) / weight
        above = mean - self._bound
        if above <= 0.0:
            return 0.0
        squares = (self._squares + _PRIOR_LABELS * self._bound) / weight
        variance = max(squares - mean * mean, _LEAST_VARIANCE)
        labels = self._weight**2 / max(self._squared_weights, 1.0) + _PRIOR_LABELS
        if above <= _SURE * math.sqrt(variance / labels):
            return 0.0
        return min(above / (variance + above * above), _LARGEST_STAKE / self._bound)
