"""The table of a version's accuracy on the command line."""

from rich.console import Console

from fleetloop_hub.monitoring.accuracy_views import AccuracyView, Place, Scope
from fleetloop_hub.tables.accuracy import accuracy_story
from fleetloop_shared.estimate.records import Estimate


def test_each_estimate_stands_under_its_own_metric() -> None:
    estimates = [
        Estimate(metric="balanced_accuracy", value=0.71, low=0.7, high=0.72),
        Estimate(metric="roc_auc", value=0.93, low=0.92, high=0.94),
    ]
    scope = Scope(
        place=Place.FLEET, name="fleet", rows=100, effective_rows=90.0, estimates=estimates
    )
    held_out = {"roc_auc": 0.95, "brier": 0.11, "balanced_accuracy": 0.75}
    view = AccuracyView(model="rain", version=1).tell(held_out, 500, [scope])
    console = Console(width=160, record=True)
    console.print(accuracy_story(view))
    lines = console.export_text().splitlines()
    [header] = [line for line in lines if line.startswith("rows of")]
    [cells] = [line for line in lines if line.startswith("fleet")]
    assert cells[header.index("roc auc") :].startswith("0.93")
    assert cells[header.index("brier") :].startswith("- ")
    assert cells[header.index("balanced accuracy") :].startswith("0.71")
