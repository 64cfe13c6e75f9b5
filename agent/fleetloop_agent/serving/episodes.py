"""Tells people at the device of drift: a line of the log an episode, and what the status shows.

An episode begins with an alarm and ends with a reporting window without one, or with the model.
"""

import logging

import msgspec

from fleetloop_agent.serving.records import Window
from fleetloop_agent.status import DriftStatus
from fleetloop_shared.drift.verdict import Verdict
from fleetloop_shared.manifest import Manifest

_CLEAR_SD = 0.05
_CLEAR_SHARE = 0.005

_log = logging.getLogger(__name__)


class Episodes:
    """Follows the windows of whatever model serves.

    Attributes:
        last: The episode that goes on, or the last that did; None before the first.
    """

    def __init__(self) -> None:
        """No window was judged yet."""
        self.last: DriftStatus | None = None
        self._artifact: str | None = None

    def note(self, windows: list[Window], at: float) -> None:
        """Take windows that are to be told of, in their order.

        Args:
            windows: They.
            at: Unix seconds.
        """
        for window in windows:
            if window.manifest.sha256 != self._artifact:
                self._artifact, self.last = window.manifest.sha256, None
            if window.judged.alarm:
                self._alarmed(window, at)
            elif window.judged.closed:
                self._calm(window, at)

    def _alarmed(self, window: Window, at: float) -> None:
        last, judged, manifest = self.last, window.judged, window.manifest
        goes_on = last is not None and last.alarm
        if last is not None and goes_on and not judged.verdict.alarm:
            return  # the end of a window that had one: what was told of it is nearer
        told = _told(judged.verdict, manifest)
        since_row = judged.since_row
        if last is not None and goes_on:
            at, since_row = last.at, last.since_row
        self.last = DriftStatus(
            alarm=True,
            feature=told[0],
            size=told[1],
            ratio=float(f"{judged.verdict.ratio:.3g}"),
            since_row=since_row,
            at=at,
            over_at=None,
        )
        if not goes_on:
            _log.warning(
                "drift: %s: %s, %.3g times its threshold, since row %s of %s %d; answers go on, the"
                " hub is told; fleetloop-agent status shows it",
                *told,
                judged.verdict.ratio,
                since_row,
                manifest.model,
                manifest.version,
            )

    def _calm(self, window: Window, at: float) -> None:
        last = self.last
        if last is None or not last.alarm:
            return
        self.last = msgspec.structs.replace(last, alarm=False, over_at=at)
        _log.info("drift: over; the rows from %d on are as in training", window.judged.first_row)


def _told(verdict: Verdict, manifest: Manifest) -> tuple[str, str]:
    """What has moved furthest, and how far, in its unit."""
    feature = max((f.ratio for f in verdict.features), default=0.0)
    pair = max((c.ratio for c in verdict.correlations), default=0.0)
    if verdict.score_ratio > max(feature, pair):
        return "the score", "another distribution"
    if pair > feature:
        moved = verdict.correlations[0]
        words = f"correlation {moved.live:.2f}, {moved.reference:.2f} in training"
        return f"{moved.a} with {moved.b}", words
    return _feature(verdict, manifest)


def _feature(verdict: Verdict, manifest: Manifest) -> tuple[str, str]:
    moved = verdict.features[0]
    known = next(f for f in manifest.signature.features if f.name == moved.name)
    said = []
    if abs(moved.shift_sd) >= _CLEAR_SD and not known.categories:
        unit = f" {known.unit}" if known.unit else ""
        way = "higher" if moved.shift > 0 else "lower"
        said.append(f"{abs(moved.shift):.3g}{unit} {way} ({moved.shift_sd:+.2g} sd)")
    if moved.missing_ratio >= _CLEAR_SHARE:
        said.append(f"{moved.missing_ratio:.1%} missing".replace("%", " %"))
    if moved.unlisted_ratio >= _CLEAR_SHARE:
        said.append(f"{moved.unlisted_ratio:.1%} unlisted".replace("%", " %"))
    other = "other shares of its values" if known.categories else "another distribution"
    return moved.name, ", ".join(said) or other
