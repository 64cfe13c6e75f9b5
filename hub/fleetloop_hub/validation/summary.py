"""The numbers of an exam as a run records them."""

import math

from fleetloop_hub.spec.families import TASK_METRICS
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.metrics import measure


def summarise(exam: Exam) -> dict[str, float]:
    """Every metric with its 95 % interval (`_low`, `_high`), and the champion's on the same rows.

    `gain_…` is how much better than the champion.
    """
    found = {"held_out_rows": float(len(exam.challenger))}
    if not len(exam.challenger):
        return found
    for metric in TASK_METRICS[exam.task]:
        found[metric] = measure(metric, exam.challenger)
        ends = interval(metric, exam.challenger, exam.seed)
        found[f"{metric}_low"], found[f"{metric}_high"] = ends
        if exam.champion is not None:
            theirs = measure(metric, exam.champion)
            found[f"champion_{metric}"] = theirs
            found[f"gain_{metric}"] = found[metric] - theirs
            ends = paired_interval(metric, exam.challenger, exam.champion, exam.seed)
            found[f"gain_{metric}_low"], found[f"gain_{metric}_high"] = ends
    return {name: value for name, value in found.items() if math.isfinite(value)}
