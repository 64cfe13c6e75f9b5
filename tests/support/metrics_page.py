"""Writes the tables of docs/metrics.md from the metrics of hub and agent; `make docs` runs it."""

import sys
from pathlib import Path

from fleetloop_agent.serving.metric_table import FAMILIES as OF_AGENT
from fleetloop_hub.metrics.families import FAMILIES as OF_HUB
from fleetloop_shared.durable import RealDisk, replace

END = "<!-- end of what make docs makes -->"
Row = tuple[str, str, tuple[str, ...], str]


def filled(page: str) -> str:
    """A page with the tables between its marks."""
    hub = [(f.name, str(f.kind), f.labels, f.text) for f in OF_HUB]
    agent = [(f.exposed, str(f.kind), f.labels, f.text) for f in OF_AGENT.values()]
    for name, rows in (("hub", hub), ("agent", agent)):
        begin = f"<!-- made by make docs: {name} -->"
        before, rest = page.split(begin, 1)
        _, after = rest.split(END, 1)
        page = f"{before}{begin}\n\n{_table(rows)}\n{END}{after}"
    return page


def _table(rows: list[Row]) -> str:
    lines = ["| metric | type | labels | what it counts |", "|---|---|---|---|"]
    for name, kind, labels, text in rows:
        told = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind} | {told} | {text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    where = Path(sys.argv[1])
    text = filled(where.read_text("utf-8"))
    replace(RealDisk(where.parent), Path(where.name), text.encode())
