"""One view a version for the overview, made anew only where something about it has changed."""

from collections import Counter
from collections.abc import Iterable, Mapping

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.delay_words import sentences
from fleetloop_hub.digest_records import LabelCounts
from fleetloop_hub.digests_port import Digests
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Version
from fleetloop_hub.version_parts import GateResult
from fleetloop_shared.manifest import REGRESSION

_About = tuple[Version, Decision | None, list[str], int, LabelCounts | None]
_NO_LABELS = LabelCounts(0, 0, 0.0)


class VersionReader:
    """Keeps the views; for one thread at a time."""

    def __init__(self, catalog: Catalog, digests: Digests) -> None:
        """Nothing is viewed yet."""
        self._catalog, self._digests = catalog, digests
        self._known: dict[str, tuple[_About, VersionView]] = {}
        self._last: tuple[object, list[VersionView]] | None = None

    def read(self, devices: Iterable[DeviceView]) -> list[VersionView]:
        """Every version, the newest first.

        Args:
            devices: All of them.
        """
        serving = Counter((d.model, d.version) for d in devices)
        field = self._digests.labelled()
        state = (self._catalog.revision(Version, Alias, Decision), id(field), serving)
        if self._last is None or self._last[0] != state:
            views = self._views(serving, field)
            self._last = state, sorted(views, key=lambda v: v.created_at, reverse=True)
        return self._last[1]

    def _views(
        self,
        serving: Mapping[tuple[str | None, int | None], int],
        field: Mapping[tuple[str, int], LabelCounts],
    ) -> list[VersionView]:
        names: dict[tuple[str, int], list[str]] = {}
        for alias in self._catalog.all(Alias):
            model, _, name = alias.key.partition("/")
            names.setdefault((model, alias.version), []).append(name)
        views = []
        for version in self._catalog.all(Version):
            key = (version.model, version.number)
            decision = self._catalog.find(Decision, version.decision)
            about = (
                version,
                decision,
                sorted(names.get(key, [])),
                serving.get(key, 0),
                field.get(key),
            )
            views.append(self._view(about))
        return views

    def _view(self, about: _About) -> VersionView:
        version, decision, *rest = about
        known = self._known.get(version.key)
        if known is not None:
            (was, was_decision, *was_rest), view = known
            if was is version and was_decision is decision and was_rest == rest:
                return view
        view = _version_view(about)
        self._known[version.key] = about, view
        return view


def _version_view(about: _About) -> VersionView:
    version, decision, aliases, serving, field = about
    measured = next((g for g in version.gates if g.low is not None), None)
    labels, regression = field or _NO_LABELS, version.task == REGRESSION
    return VersionView(
        model=version.model,
        number=version.number,
        state=str(version.state),
        aliases=aliases,
        metric=_metric(version, measured) if measured else "",
        value=measured.value if measured else None,
        low=measured.low if measured else None,
        high=measured.high if measured else None,
        gates=version.gates,
        gates_judged=sum(g.judged for g in version.gates),
        gates_passed=sum(g.judged and not g.blocks for g in version.gates),
        float_bytes=version.parity.float_bytes,
        artifact_bytes=version.parity.artifact_bytes,
        label_flips=version.parity.label_flips,
        parity_rows=version.parity.rows,
        serving=serving,
        field_labels=labels.labels,
        field_accuracy=labels.right / labels.labels if field and not regression else None,
        field_error=labels.error if field and regression else None,
        why=_why(decision),
        decision=version.decision,
        run=version.run,
        created_at=version.created_at,
        delays=sentences(version.evidence.delays) if version.evidence.delays else [],
    )


def _metric(version: Version, measured: GateResult) -> str:
    """The metric's name: a gate is called by what it is for, not by what it measures."""
    named = (name for name, value in version.metrics.items() if value == measured.value)
    return next(named, measured.name).replace("_", " ")


def _why(decision: Decision | None) -> str:
    if decision is None:
        return ""
    return "; ".join(decision.reasons) or f"asked for by {decision.trigger}"
