"""Pictures of a device's machine over time, from its health reports."""

from collections.abc import Callable

from fleetloop_hub.web.time_plot import TimePlot
from fleetloop_shared.reports import HealthReport

Value = Callable[[HealthReport], float | None]
_MB, _GB, _PERCENT, _MS = 1e6, 1e9, 100, 1_000


def _part(value: float | None, of: float) -> float | None:
    return None if value is None else value / of


_PLOTS: list[tuple[str, str, dict[str, Value]]] = [
    (
        "Time to answer",
        "ms",
        {"median": lambda h: h.latency_p50_ms, "99 % within": lambda h: h.latency_p99_ms},
    ),
    ("Rows answered a report", "rows", {"rows": lambda h: h.rows, "failed": lambda h: h.errors}),
    ("Memory of the agent", "MB", {"agent": lambda h: h.rss_bytes / _MB}),
    (
        "Memory available",
        "GB",
        {"available": lambda h: _part(h.system.memory_available_bytes, _GB)},
    ),
    (
        "Processor",
        "%",
        {
            "agent, of a core": lambda h: _part(h.system.agent_cpu_ratio, 1 / _PERCENT),
            "all cores": lambda h: _part(h.system.machine_cpu_ratio, 1 / _PERCENT),
        },
    ),
    ("Disk free", "GB", {"free": lambda h: _part(h.system.disk_free_bytes, _GB)}),
    ("Temperature", "°C", {"hottest zone": lambda h: h.system.temperature_c}),
    (
        "Clock ahead of the hub's",
        "ms",
        {"ahead": lambda h: h.clock.offset_s * _MS if h.clock else None},
    ),
    ("Reports to be sent", "reports", {"outbox": lambda h: float(h.outbox)}),
]


def health_plots(reports: list[HealthReport]) -> list[TimePlot]:
    """One picture for each thing that the machine has told at least once, in a fixed order."""
    at = [report.at for report in reports]
    plots = [
        TimePlot(title, unit, at, {name: [value(r) for r in reports] for name, value in of.items()})
        for title, unit, of in _PLOTS
    ]
    return [plot for plot in plots if plot.known]
