"""A simulation as a table: a line a policy, and what it means."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from fleetloop_hub.simulating.outcome import Simulation
from fleetloop_hub.tables.forms import table
from fleetloop_hub.web.words import seconds


def compared(found: Simulation) -> RenderableType:
    """Policies in the order in which they were asked for, the best one in bold."""
    shown = table(
        "policy",
        found.metric,
        "95 % interval",
        "behind the best",
        "worst span",
        "retrainings",
        "in vain",
        "labels used",
        wraps="policy",
    )
    for r in found.results:
        best = r.policy == found.best
        behind = "" if best else f"{r.behind:.3f} ({r.behind_low:+.3f} to {r.behind_high:+.3f})"
        shown.add_row(
            Text(r.policy, "bold" if best else ""),
            f"{r.value:.3f}",
            f"{r.low:.3f} to {r.high:.3f}",
            behind,
            "" if r.worst is None else f"{r.worst:.3f}",
            str(r.retrainings),
            str(r.in_vain),
            f"{r.labels_used:,}",
        )
    how = (
        f"{found.replayed_rows:,} rows of {found.data} replayed on {found.devices} devices after "
        f"{found.first_rows:,} for version 1; a look every {found.look_rows:,} rows, the schedule "
        f"every {seconds(found.every_s)}, labels {seconds(found.label_delay_s)} late, "
        f"seed {found.seed}"
    )
    notes = [Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in found.notes]
    return Group(Text(how), shown, Text(found.text, "bold"), *notes)
