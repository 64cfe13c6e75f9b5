"""What a device may say: of versions that there are, at times that can be, as its policy lets it.

A report that may not be is refused and acknowledged: its device should not send it for ever. What
only has a wrong clock is taken with its times put right, and that is counted too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.errors import (
    ForbiddenFieldError,
    OverBudgetError,
    RetiredVersionError,
    UnaskedSampleError,
    UnknownVersionError,
)
from fleetloop_hub.monitoring.event_times import WRONG_S, EventTimes
from fleetloop_hub.monitoring.sample_quota import SampleQuota
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Version, VersionState
from fleetloop_shared.reports import (
    DriftReport,
    HealthReport,
    LabelReport,
    ProfileReport,
    Report,
    SampleReport,
)
from fleetloop_shared.sampling import SamplingPolicy
from fleetloop_shared.shadow_report import ShadowReport

_RETIRED = {VersionState.ARCHIVED, VersionState.DELETED}
_NEVER_OUT = {VersionState.BLOCKED, VersionState.REJECTED}
"""One that waits for a person may be in shadow."""


@dataclass(frozen=True)
class Rules:
    """What the hub has told.

    Attributes:
        policy: The policy of samples that a device was told last, None if none may be sent.
        features: The features of a model, in their order.
    """

    policy: Callable[[str], SamplingPolicy | None]
    features: Callable[[str], list[str]]


class Vetting:
    """Lets reports pass, or says why not; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, rules: Rules) -> None:
        """Begin with what is kept.

        Args:
            catalog: The versions.
            telemetry: What has come before; a wrong clock is counted there.
            rules: What was told.
        """
        self._catalog, self._telemetry, self._rules = catalog, telemetry, rules
        self._times, self._quota = EventTimes(telemetry), SampleQuota(telemetry)

    def check(self, report: Report, size_bytes: int, now: float) -> Report:
        """The report, with its rows' and labels' times put right.

        Args:
            report: The report.
            size_bytes: Of its payload.
            now: The hub's clock.

        Raises:
            ImplausibleError: It may not be; the subclass says why.
        """
        match report:
            case HealthReport():
                self._times.note(report)
                if report.model is not None and report.version is not None:
                    self._check_version(report.model, report.version, retired=True)
            case DriftReport() | ProfileReport():
                self._check_version(report.model, report.version, retired=False)
            case ShadowReport(counts=counts):
                for version in (counts.champion, counts.challenger):
                    self._check_version(counts.model, version, retired=False)
            case SampleReport():
                for version in {sample.version for sample in report.samples}:
                    self._check_version(report.model, version, retired=False)
                self._check_policy(report, size_bytes, now)
                at = self._put_right(report.device, [s.at for s in report.samples], now)
                rows = [replace(s, at=t) for s, t in zip(report.samples, at, strict=True)]
                return replace(report, samples=rows)
            case LabelReport():
                at = self._put_right(report.device, [x.at for x in report.labels], now)
                labels = [replace(x, at=t) for x, t in zip(report.labels, at, strict=True)]
                return replace(report, labels=labels)
            case _:
                pass
        return report

    def _check_version(self, model: str, number: int, *, retired: bool) -> None:
        """Whether a device can run a version at all; `retired`: also one that was put away."""
        found = self._catalog.find(Version, f"{model[:64]}/{number}")
        if found is None or found.state in _NEVER_OUT:
            raise UnknownVersionError(
                f"{model[:64]}@{number} was never released: the report was not taken in"
            )
        if found.state in _RETIRED and not retired:
            raise RetiredVersionError(
                f"{found.key} is {found.state}: what is said of it is no news, and was not taken in"
            )

    def _check_policy(self, report: SampleReport, size_bytes: int, now: float) -> None:
        policy = self._rules.policy(report.device)
        if policy is None:
            raise UnaskedSampleError(
                "samples that no policy asks for: none was kept; [sampling] in the spec, and a "
                "rollout, ask for them"
            )
        names = self._rules.features(report.model)
        hidden = [place for place, name in enumerate(names) if name in set(policy.never)]
        for sample in report.samples:
            for place in hidden:
                if place < len(sample.values) and sample.values[place] is not None:
                    raise ForbiddenFieldError(
                        f"a sample with a value of {names[place]}, which is never to leave a "
                        "device: none of them was kept"
                    )
        key = report.device, report.boot, report.seq
        if not self._quota.take(key, size_bytes, policy.bytes_per_day, now):
            raise OverBudgetError(
                f"{len(report.samples):,} samples beyond {policy.bytes_per_day:,} bytes a day were "
                "not kept: the device does not keep to its policy"
            )

    def _put_right(self, device: str, at: list[float], now: float) -> list[float]:
        """When things really were; a clock that is far from the hub's is counted."""
        true = [self._times.bounded(device, x, now) for x in at]
        furthest = max((b - a for a, b in zip(at, true, strict=True)), key=abs, default=0.0)
        if abs(furthest) > WRONG_S:
            way = "behind" if furthest > 0 else "ahead of"
            text = f"its clock is {abs(furthest):,.0f} s {way} the hub's: times were put right"
            self._telemetry.refuse(device, "wrong-clock", text)
        return true
