"""A window's drift in words: what has moved, which way, and how far in the feature's own unit."""

from fleetloop_hub.monitoring.overview import MovedView
from fleetloop_shared.reports import DriftReport, FeatureDrift

_SHOWN = 3
_CLEAR_SD = 0.05
_CLEAR_SHARE = 0.005


def moved_in(drift: DriftReport) -> list[MovedView]:
    """What is at or over its threshold, the furthest first."""
    moved = [
        *(MovedView(name=f.name, words=feature_words(f), ratio=f.ratio) for f in drift.features),
        *(
            MovedView(
                name=f"{c.a} with {c.b}",
                words=f"correlation {c.live:.2f}, {c.reference:.2f} in training",
                ratio=c.ratio,
            )
            for c in drift.correlations
        ),
        MovedView(name="the score", words="another distribution", ratio=drift.score_ratio),
    ]
    over = [view for view in moved if view.ratio >= 1.0]
    return sorted(over, key=lambda view: -view.ratio)[:_SHOWN]


def number(value: float) -> str:
    """Three digits, without an exponent where a person would write none.

    >>> number(1234.5), number(0.01234)
    ('1,234', '0.0123')
    """
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value:.3g}"  # noqa: PLR2004


def feature_words(feature: FeatureDrift) -> str:
    """How a feature has moved, with its size in its own unit."""
    said = []
    if abs(feature.shift_sd) >= _CLEAR_SD:
        way = "higher" if feature.shift > 0 else "lower"
        said.append(f"{number(abs(feature.shift))} {way} ({feature.shift_sd:+.2g} sd)")
    if feature.missing_ratio >= _CLEAR_SHARE:
        said.append(f"{feature.missing_ratio:.1%} missing")
    if feature.unlisted_ratio >= _CLEAR_SHARE:
        said.append(f"{feature.unlisted_ratio:.1%} unlisted")
    if not said and feature.anderson_darling == feature.shift == 0:  # so are a category's
        return "other shares of its values"
    return ", ".join(said) or "another distribution"
