"""What a device tells of a challenger beside its champion: counts that add up, and no row."""

import msgspec

from fleetloop_shared.reports import Report

SCORE_BINS = 32
"""Of a score histogram, equally wide from the champion's `score_low` to its `score_high`."""

DIFFERENCE_BINS = 20
"""Of how far two numbers are apart, each twice as wide as the one before; see `shadow_bins`."""


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that both have answered and whose label came: who was right.

    Attributes:
        both: Both were.
        only_champion: The champion was, the challenger not.
        only_challenger: The other way round.
        neither: None of them was.
    """

    both: int = 0
    only_champion: int = 0
    only_challenger: int = 0
    neither: int = 0


class ShadowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How a challenger and the champion have answered the same rows; sums of it are such as well.

    Attributes:
        model: The model.
        champion: The version that answered.
        challenger: The version that was compared with it.
        artifact: SHA-256 of the challenger's bytes.
        rows: Rows that both have scored.
        agreed: Those of them with the same answer; of a regression, answers near enough.
        answers: A row a class of the champion, a column a class of the challenger, in the order of
            their signatures: how often they said so; empty for a regression.
        differences: How far apart the answers of a regression were, by `shadow_bins`; empty
            for classes.
        champion_scores: Histogram of the champion's scores, `SCORE_BINS` of them.
        challenger_scores: The same of the challenger's, in the same bins.
        labelled: Rows whose label came, by who was right.
        latency_counts: The challenger's runs, as `latency` counts them; a run is many rows.
        skipped: Rows that were to be scored and were not, by why: "full", "failed", "changed".
        answered: Rows that the challenger has answered in place of the champion.
        answered_labels: Labels that came for those, counted by the version that answered.
        answered_right: Answers among those that were right; 0 for a regression.
        fell_back: Rows that it was to answer, and the champion did as it failed.
    """

    model: str
    champion: int
    challenger: int
    artifact: str
    rows: int
    agreed: int
    answers: list[list[int]]
    differences: list[int]
    champion_scores: list[int]
    challenger_scores: list[int]
    labelled: Labelled
    latency_counts: list[int]
    skipped: dict[str, int]
    answered: int = 0
    answered_labels: int = 0
    answered_right: int = 0
    fell_back: int = 0


class ShadowReport(Report, frozen=True, kw_only=True):
    """What has been counted since the last such report, or since the challenger was loaded.

    Attributes:
        counts: The counts.
    """

    counts: ShadowCounts
