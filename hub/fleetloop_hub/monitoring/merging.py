"""Merges live profiles: windows to a device, devices to a cohort, cohorts to the fleet."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from fleetloop_shared.profile import LiveProfile


def merged(profiles: Sequence[LiveProfile]) -> LiveProfile:
    """The profile of all their rows together, the same whatever their order.

    Counts are whole numbers and add up exactly, and so do sums, as they were rounded by the device.

    Args:
        profiles: At least one, all taken on the same reference.

    Raises:
        ValueError: None, or they were taken on different references.
    """
    if not profiles:
        raise ValueError("no profile to merge")
    if len({shape(profile) for profile in profiles}) > 1:
        raise ValueError("these profiles were taken on different references")
    return msgspec.structs.replace(
        profiles[0],
        rows=sum(p.rows for p in profiles),
        counts=[
            [sum(bins) for bins in zip(*rows, strict=True)]
            for rows in zip(*(p.counts for p in profiles), strict=True)
        ],
        missing=_added(p.missing for p in profiles),
        low=_known(min, (p.low for p in profiles)),
        high=_known(max, (p.high for p in profiles)),
        sums=_added(p.sums for p in profiles),
        near_sums=_added(p.near_sums for p in profiles),
        near_products=_added(p.near_products for p in profiles),
        score_counts=_added(p.score_counts for p in profiles),
        out_of_range=_added(p.out_of_range for p in profiles),
    )


def thinned(profile: LiveProfile, rows: int) -> LiveProfile:
    """The same shares and moments in fewer rows; a profile of no more than `rows` as it is.

    A drift statistic is judged against a limit for a number of rows. More rows than that make the
    shares surer, and that is all that they are used for: the limit stays what was calibrated.

    Args:
        profile: What is thinned.
        rows: How many rows remain.
    """
    if profile.rows <= rows:
        return profile
    share = rows / profile.rows
    together = [
        _apportioned([*counts, missing], rows)
        for counts, missing in zip(profile.counts, profile.missing, strict=True)
    ]
    return msgspec.structs.replace(
        profile,
        rows=rows,
        counts=[counts[:-1] for counts in together],
        missing=[counts[-1] for counts in together],
        sums=[round(x * share) for x in profile.sums],
        near_sums=[round(x * share) for x in profile.near_sums],
        near_products=[round(x * share) for x in profile.near_products],
        score_counts=_apportioned(profile.score_counts, rows),
        out_of_range=[round(x * share) for x in profile.out_of_range],
    )


def shape(profile: LiveProfile) -> tuple[int, ...]:
    """Number of bins of each feature, and the step: equal for windows of one reference."""
    return *(len(counts) for counts in profile.counts), profile.near_step


def _apportioned(counts: list[int], rows: int) -> list[int]:
    """Whole numbers in these proportions that add up to `rows`, by the largest remainders."""
    total = sum(counts)
    if not total:
        return counts
    parts = [divmod(count * rows, total) for count in counts]
    left = rows - sum(whole for whole, _ in parts)
    rounded_up = sorted(range(len(parts)), key=lambda k: (-parts[k][1], k))[:left]
    more = set(rounded_up)
    return [whole + (k in more) for k, (whole, _) in enumerate(parts)]


def _added(lists: Iterable[list[int]]) -> list[int]:
    return [sum(x) for x in zip(*lists, strict=True)]


def _known(
    choose: Callable[[list[float]], float], lists: Iterable[list[float | None]]
) -> list[float | None]:
    """The smallest or largest of what is known, None where nothing is."""
    columns = ([x for x in column if x is not None] for column in zip(*lists, strict=True))
    return [choose(known) if known else None for known in columns]
