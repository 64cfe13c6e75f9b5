"""What the numbers of a report can be: a report beyond that is refused before it counts anywhere.

A broken or hostile device can say any number that its message's type allows. None of them may move
a fleet's merged counts, a page or a decision further than rows that it could have served.
"""

import math
from collections.abc import Iterable

from fleetloop_hub.errors import ImplausibleError
from fleetloop_hub.monitoring.plausible_shadow import impossible
from fleetloop_shared.drift.moments import REACH_SD
from fleetloop_shared.latency import BINS
from fleetloop_shared.profile import SCORE_BINS, LiveProfile
from fleetloop_shared.reports import (
    DriftReport,
    HealthReport,
    ProfileReport,
    Report,
    SampleReport,
)
from fleetloop_shared.shadow_report import ShadowReport

MOST_ROWS = 1_000_000_000
"""Rows in one window, or served between two health reports."""

MOST_FEATURES = 4_096
MOST_BINS = 4_096
MOST_GROUPS = 8_192
LEAST_PROBABILITY = 1e-4

_LARGEST = 1e30
_LARGEST_SUM = 1e150
_TEMPERATURE_C = (-273.15, 1_000.0)


def check(report: Report) -> None:
    """Let a report pass whose numbers can be.

    Raises:
        ImplausibleError: They cannot.
    """
    if isinstance(report, ProfileReport):
        _check_profile(report.profile)
    elif isinstance(report, DriftReport):
        _check_drift(report)
    elif isinstance(report, HealthReport):
        _check_health(report)
    elif isinstance(report, SampleReport):
        _check_samples(report)
    elif isinstance(report, ShadowReport):
        problem = impossible(report.counts)
        _demand(problem is None, f"of a challenger: {problem}")


def _check_drift(report: DriftReport) -> None:
    _demand(1 <= report.rows <= MOST_ROWS, f"a window of {report.rows} rows")
    _demand(report.first_row >= 1, f"a window that begins at row {report.first_row}")
    last = report.first_row + report.rows - 1
    since = report.since_row
    _demand(since is None or 1 <= since <= last, f"drift since row {since} of {last}")
    _demand(report.closed or report.alarm, "an early report that is no alarm")
    _demand(len(report.features) <= MOST_FEATURES, f"drift of {len(report.features)} features")
    features, pairs = report.features, report.correlations
    _demand_sizes("a drift statistic", [report.ratio, report.score_ratio])
    for f in features:
        sizes = [f.ratio, f.anderson_darling, f.triangular, f.psi, f.js]
        _demand_sizes(f"a drift statistic of {f.name[:64]!r}", sizes)
        _demand(0 <= f.missing_ratio <= 1, f"{f.missing_ratio} of the rows missing")
        _demand(0 <= f.unlisted_ratio <= 1, f"{f.unlisted_ratio} of the rows unlisted")
        _demand(math.isfinite(f.shift) and math.isfinite(f.shift_sd), "a shift without an end")
    for c in pairs:
        _demand_sizes("a drift statistic of a correlation", [c.ratio])
        _demand(abs(c.live) <= 1 and abs(c.reference) <= 1, f"a correlation of {c.live}")


def _check_profile(profile: LiveProfile) -> None:
    rows, width = profile.rows, len(profile.counts)
    _demand(1 <= rows <= MOST_ROWS, f"a profile of {rows} rows")
    _demand(width <= MOST_FEATURES, f"a profile of {width} features")
    _demand(all(len(c) <= MOST_BINS for c in profile.counts), "a feature with too many bins")
    lists = (profile.missing, profile.low, profile.high, profile.sums, profile.out_of_range)
    fits = all(len(values) == width for values in lists) and len(profile.near_sums) == width
    fits = fits and len(profile.near_products) == width * (width + 1) // 2
    _demand(fits, f"a profile whose lists are not all of {width} features")
    for counts, missing in zip(profile.counts, profile.missing, strict=True):
        _demand(min([missing, *counts]) >= 0, "a count below zero")
        total = sum(counts) + missing
        _demand(total == rows, f"{total} values of a feature in {rows} rows")
    _demand(all(0 <= x <= rows for x in profile.out_of_range), "more out of range than there is")
    scores = profile.score_counts
    _demand(len(scores) == SCORE_BINS, f"{len(scores)} bins of the score, not {SCORE_BINS}")
    _demand(min(scores) >= 0 and sum(scores) == rows, f"{sum(scores)} scores of {rows} rows")
    _check_moments(profile)


def _check_moments(profile: LiveProfile) -> None:
    """Sums that some rows could have: no mean is larger than the mean squares allow."""
    rows, step, sums = profile.rows, profile.near_step, profile.near_sums
    _demand(1 <= step <= MOST_ROWS, f"products in steps of {step}")
    _demand(all(abs(x) <= _LARGEST_SUM for x in profile.sums), "a sum without an end")
    most = (REACH_SD**2 + 1) * rows + step
    products = [x * step for x in profile.near_products]
    _demand(all(abs(x) <= most for x in products), "products that no distances have")
    squares, place = [], 0
    for k in range(len(sums)):
        squares.append(products[place] + rows + step)  # rounded by half a step at most
        place += len(sums) - k
    _demand(min(squares, default=0.0) >= 0, "a sum of squares below zero")
    able = all(max(abs(s) - 1, 0) ** 2 <= q * rows for s, q in zip(sums, squares, strict=True))
    _demand(able, "a mean that its squares do not allow")
    ends = zip(profile.low, profile.high, strict=True)
    in_order = all(low is None or high is None or low <= high for low, high in ends)
    _demand(in_order, "a smallest value above the largest")


def _check_health(report: HealthReport) -> None:
    counts = {
        "rows": report.rows,
        "errors": report.errors,
        "refused rows": report.refused,
        "labels": report.labels,
        "reports to be sent": report.outbox,
        "bytes to be sent": report.outbox_bytes,
        "reports without room": report.unkept,
        "things given up": report.dropped,
        "bytes of memory": report.rss_bytes,
        "messages that wait": report.inputs or 0,
    }
    for what, count in counts.items():
        _demand(0 <= count < 2**63, f"{count} {what}")
    _demand(report.rows <= MOST_ROWS, f"{report.rows} rows since the last report")
    calls = report.latency_counts
    _demand(len(calls) == BINS, f"{len(calls)} bins of answer times, not {BINS}")
    _demand(min(calls) >= 0 and sum(calls) <= MOST_ROWS, f"{sum(calls)} answer times")
    _demand(0 <= (report.labels_correct or 0) <= report.labels, "more right answers than labels")
    _check_groups(report)
    times = [report.latency_p50_ms or 0.0, report.latency_p99_ms or 0.0, report.uptime_s]
    _demand_sizes("a time", times)
    for name in report.system.__struct_fields__:
        value = getattr(report.system, name)
        if value is not None and name != "temperature_c":
            _demand_sizes(name, [value])
    degrees = report.system.temperature_c
    coldest, hottest = _TEMPERATURE_C
    _demand(degrees is None or coldest <= degrees <= hottest, f"a temperature of {degrees} °C")
    if report.clock is not None:
        _demand_sizes("a clock's offset", [abs(report.clock.offset_s), report.clock.uncertain_s])


def _check_samples(report: SampleReport) -> None:
    """Probabilities that weigh no row more than ten thousand others."""
    for sample in report.samples:
        chance = sample.probability
        _demand(
            chance is None or LEAST_PROBABILITY <= chance <= 1,
            f"a row that was sent with a probability of {chance}",
        )
        _demand(len(sample.values) <= MOST_FEATURES, f"a row of {len(sample.values)} values")


def _check_groups(report: HealthReport) -> None:
    """Counts that some rows could have: no group has more answers than there were rows."""
    _demand(len(report.groups) <= MOST_GROUPS, f"{len(report.groups)} groups")
    for c in report.groups:
        parts = [(c.yes, c.rows), (c.positive_yes, c.positive), (c.negative_yes, c.negative)]
        _demand(all(0 <= a <= b for a, b in parts), f"more yes than answers of {c.group[:64]!r}")
        _demand(c.rows <= report.rows, f"{c.rows} rows of a group of {report.rows}")
        _demand(c.positive + c.negative <= report.labels, "more labels of a group than there are")


def _demand_sizes(what: str, values: Iterable[float]) -> None:
    for value in values:
        _demand(0 <= value <= _LARGEST, f"{what} of {value}")


def _demand(met: bool, text: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not met:
        raise ImplausibleError(f"{text}: the report was not taken in")
