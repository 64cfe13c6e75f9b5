"""Whether what a device tells of a challenger can be: counts that no rows have are refused."""

from fleetloop_shared.latency import BINS
from fleetloop_shared.shadow_report import DIFFERENCE_BINS, SCORE_BINS, ShadowCounts

MOST_ROWS = 10**9
MOST_CLASSES = 1_024

_SKIPPED = {"full", "failed", "changed"}


def impossible(counts: ShadowCounts) -> str | None:
    """What cannot be about these counts, None where nothing is wrong with them."""
    labelled = counts.labelled
    right = [labelled.both, labelled.only_champion, labelled.only_challenger, labelled.neither]
    told = [
        counts.rows,
        counts.agreed,
        counts.answered,
        counts.answered_labels,
        counts.answered_right,
        counts.fell_back,
        *right,
        *counts.latency_counts,
        *counts.skipped.values(),
    ]
    if min(told) < 0 or max(told) > MOST_ROWS:
        return "a count that no rows have"
    if counts.champion < 1 or counts.challenger < 1 or counts.champion == counts.challenger:
        return f"version {counts.champion} compared with {counts.challenger}"
    if counts.agreed > counts.rows or counts.answered_right > counts.answered_labels:
        return "more rows agreed, or right, than there were"
    if len(counts.latency_counts) != BINS or not set(counts.skipped) <= _SKIPPED:
        return "bins of times, or reasons, that there are not"
    return _impossible_shape(counts)


def _impossible_shape(counts: ShadowCounts) -> str | None:
    for scores in (counts.champion_scores, counts.challenger_scores):
        if len(scores) != SCORE_BINS or min(scores) < 0 or sum(scores) != counts.rows:
            return f"scores that are not of {counts.rows} rows"
    if bool(counts.answers) == bool(counts.differences):
        return "neither classes nor numbers, or both"
    if counts.differences:
        fits = len(counts.differences) == DIFFERENCE_BINS and min(counts.differences) >= 0
        fits = fits and sum(counts.differences) == counts.rows
        return None if fits else "differences in other bins, or of other rows"
    widths = {len(row) for row in counts.answers}
    if len(widths) != 1 or not 0 < max(*widths, len(counts.answers)) <= MOST_CLASSES:
        return "answers that are no table of classes"
    cells = [cell for row in counts.answers for cell in row]
    if not cells or min(cells) < 0 or sum(cells) != counts.rows:
        return f"answers that are not of {counts.rows} rows"
    return None
