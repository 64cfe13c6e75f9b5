"""The page, the dashboard and the alert rules name metrics, labels and values that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.metrics.families import FAMILIES, Family, Kind
from fleetloop_hub.metrics.fleet import OFFLINE, ONLINE, UNHEARD
from fleetloop_hub.records import RunState, VersionState
from fleetloop_shared.errors import reasons
from fleetloop_shared.reports import EventKind
from support.metrics_page import filled

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana" / "fleetloop.json").read_text("utf-8"))
RULES = (DOCS / "grafana" / "alerts.yml").read_text("utf-8")

_SELECTOR = re.compile(r"\b((?:fleetloop|process)_[a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'([a-z_]+)(?:=~|!=|!~|=)"([^"]*)"')
_OF_PROMETHEUS = {"job", "instance"}
_VALUES: dict[tuple[str, str], set[str]] = {
    ("fleetloop_devices", "state"): {ONLINE, OFFLINE, UNHEARD},
    ("fleetloop_device_updates", "state"): {"serving"},
    ("fleetloop_versions", "state"): {*VersionState},
    ("fleetloop_runs", "state"): {*RunState},
    ("fleetloop_rollouts", "state"): {*RolloutState},
    ("fleetloop_refused_total", "reason"): {*reasons()},
    ("fleetloop_device_events_total", "kind"): {*EventKind},
}


def names(family: Family) -> Iterator[str]:
    """What of a metric a query may name."""
    if family.kind is Kind.HISTOGRAM:
        yield from (f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
    else:
        yield family.name


LABELS = {name: {*f.labels, *_OF_PROMETHEUS} for f in FAMILIES for name in names(f)}
LABELS |= {n: {"job"} for n in ("process_resident_memory_bytes", "process_cpu_seconds_total")}


def panels() -> list[dict[str, Any]]:
    return [p for p in DASHBOARD["panels"] if p["type"] != "row"]


def queries() -> list[str]:
    of_panels = [target["expr"] for panel in panels() for target in panel["targets"]]
    variables = [
        v["query"]["query"] for v in DASHBOARD["templating"]["list"] if v["name"] != "datasource"
    ]
    return of_panels + variables


def exprs() -> list[str]:
    """What the rules ask, each as one line."""
    folded = re.sub(
        r"expr: >\n((?: {10}.*\n)+)", lambda m: f"expr: {' '.join(m[1].split())}\n", RULES
    )
    return re.findall(r"expr: (.+)", folded)


def test_the_page_has_every_metric_of_hub_and_agent() -> None:
    page = (DOCS / "metrics.md").read_text("utf-8")
    assert page == filled(page), "run: make docs"
    assert all(f"| `{family.name}` |" in page for family in FAMILIES)


@pytest.mark.parametrize("expr", [*queries(), *exprs()])
def test_a_query_asks_for_what_there_is(expr: str) -> None:
    found = _SELECTOR.findall(expr)
    assert found or expr.startswith("up{")
    for name, matchers in found:
        assert name in LABELS, f"{name} is no metric"
        for label, value in _MATCHER.findall(matchers):
            assert label in LABELS[name], f"{name} has no label {label}"
            known = _VALUES.get((name, label))
            if known is not None:
                assert set(value.split("|")) <= known, f"{name} is never {label}={value}"


def test_grouping_is_by_labels_of_what_is_asked_for() -> None:
    for expr in [*queries(), *exprs()]:
        for asked in re.findall(r"by \(([^)]*)\)", expr):
            labels = {label.strip() for label in asked.split(",")} - {"le"}
            of_all = [LABELS[name] for name, _ in _SELECTOR.findall(expr)]
            assert all(labels <= known for known in of_all), expr


def test_there_are_as_many_rules_as_alerts() -> None:
    assert len(exprs()) == RULES.count("- alert:") > 8


def test_the_dashboard_takes_any_prometheus_and_its_panels_do_not_overlap() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    assert {p["datasource"]["uid"] for p in panels()} == {"${datasource}"}
    ids = [p["id"] for p in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert all(panel["description"] for panel in panels())
