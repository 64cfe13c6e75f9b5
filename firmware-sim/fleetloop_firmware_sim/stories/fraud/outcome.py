"""Computes the fraud story's figures from what devices answered and what was true."""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from fleetloop_firmware_sim.stories.fraud.clearing import Pair
from fleetloop_firmware_sim.stories.fraud.places import Floats
from fleetloop_firmware_sim.stories.fraud.precision import (
    Truth,
    average_precision,
    gain,
    interval,
)
from fleetloop_firmware_sim.stories.fraud.summary import FraudSummary, Interval
from fleetloop_firmware_sim.stories.fraud.world import World


@dataclass(frozen=True)
class Answers:
    """What both fleets answered, in the world's order of rows.

    Attributes:
        row: Number of each use in the world.
        truth: Whether it is fraud.
        amount_eur: How much it is about.
        version: That answered in the fleet with the loop.
        loop: Its scores.
        still: Scores of the fleet without it.
        loop_said: Whether the fleet with the loop said yes.
        still_said: Whether the other did.
    """

    row: "np.ndarray[tuple[int], np.dtype[np.intp]]"
    truth: Truth
    amount_eur: Floats
    version: Floats
    loop: Floats
    still: Floats
    loop_said: Truth
    still_said: Truth


def gather(world: World, pairs: list[Pair]) -> Answers:
    """All rows that both of a pair have answered."""
    rows = np.concatenate([pair.rows[: pair.answered] for pair in pairs])
    loop = [r.answer for pair in pairs for r in pair.loop.sensor.readings[: pair.answered]]
    still = [r.answer for pair in pairs for r in pair.still.sensor.readings[: pair.answered]]
    order = np.argsort(rows)
    return Answers(
        row=rows[order],
        truth=world.fraud[rows][order],
        amount_eur=world.payments.amount_eur[rows][order],
        version=np.array([float(a.version) for a in loop])[order],
        loop=np.array([a.score for a in loop])[order],
        still=np.array([a.score for a in still])[order],
        loop_said=np.array([a.label == 1 for a in loop], bool)[order],
        still_said=np.array([a.label == 1 for a in still], bool)[order],
    )


def weigh(answers: Answers, first_new: int, found: FraudSummary) -> FraudSummary:
    """The summary with the figures before, during and after.

    Args:
        answers: Of both fleets.
        first_new: The world's row in which the new technique occurs first.
        found: What was found otherwise.
    """
    new = int(np.searchsorted(answers.row, first_new))
    old = np.flatnonzero(answers.version == 1.0)
    recovered = max(new, int(old[-1]) + 1) if len(old) else new
    parts = [slice(0, new), slice(new, recovered), slice(recovered, len(answers.row))]
    judged = [_judged(answers, part, found.seed) for part in parts]
    after, since = parts[-1], slice(new, None)
    low, high = gain(answers.truth[after], answers.still[after], answers.loop[after], found.seed)
    lost = np.where(answers.truth[since], answers.amount_eur[since], 0.0)
    return replace(
        found,
        rows=tuple(len(answers.row[part]) for part in parts),
        frauds=tuple(int(answers.truth[part].sum()) for part in parts),
        precision=tuple(loop for loop, _, _, _ in judged),
        precision_intervals=tuple(ends for _, ends, _, _ in judged),
        still_precision=tuple(still for _, _, still, _ in judged),
        still_intervals=tuple(ends for _, _, _, ends in judged),
        gain_low=round(low, 4),
        gain_high=round(high, 4),
        rows_until_recovery=recovered - new if recovered < len(answers.row) else None,
        fraud_eur=round(float(lost.sum()), 2),
        caught_eur=round(float(lost[answers.loop_said[since]].sum()), 2),
        still_caught_eur=round(float(lost[answers.still_said[since]].sum()), 2),
    )


def _judged(answers: Answers, part: slice, seed: int) -> tuple[float, Interval, float, Interval]:
    truth = answers.truth[part]
    found: list[tuple[float, Interval]] = []
    for scores in (answers.loop[part], answers.still[part]):
        low, high = interval(truth, scores, seed)
        value = round(average_precision(truth, scores), 4)
        found.append((value, (round(low, 4), round(high, 4))))
    (loop, loop_ends), (still, still_ends) = found
    return loop, loop_ends, still, still_ends
