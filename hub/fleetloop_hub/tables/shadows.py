"""The table of challengers beside champions."""

from rich.table import Table

from fleetloop_hub.shadowing.gate import words
from fleetloop_hub.shadowing.shown import ShadowView


def shadows_table(shadows: list[ShadowView]) -> Table:
    """A line a shadow, the last one first."""
    table = Table("version", "beside", "cohort", "state", "devices", "what it has shown")
    for shown in shadows:
        run, weighed = shown.run, shown.weighed
        said = words(weighed) if weighed is not None else "nothing yet"
        counts = shown.counts
        if counts is not None and counts.skipped:
            left_out = ", ".join(f"{rows:,} {why}" for why, rows in counts.skipped.items())
            said += f"; not scored: {left_out}"
        if counts is not None and counts.answered:
            said += f"; it has answered {counts.answered:,} rows itself"
        if run.ended_at is not None or run.gated:
            said += f" ({run.text})"
        table.add_row(
            f"{run.model}@{run.version}",
            f"v{run.champion}",
            run.cohort,
            run.state,
            str(shown.devices),
            said,
        )
    return table
