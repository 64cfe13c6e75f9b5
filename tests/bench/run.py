"""Runs the benchmarks beside this file, prints their figures, and fails if a target is missed.

`python tests/bench/run.py hub` runs every `hub_*.py`: each has `run()`, which gives a list of
figures {metric, value, unit, op, target, peers}. `op` is "<=" or ">=", or "" where there is no
target. Machines differ, so a value should be a ratio to something measured in the same run. With
`--page` the tables are written into a page as well, each part by the run that measured it.
"""

import argparse
import datetime as dt
import importlib.util
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"
sys.path.insert(0, str(HERE.parent))

from support import performance_page  # noqa: E402  # found beside this folder

Figure = dict[str, Any]


def main() -> int:
    """Run what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", help="which files: hub runs hub_*.py")
    parser.add_argument("only", nargs="*", help="parts of it: catalog runs hub_catalog.py alone")
    parser.add_argument("--page", type=Path, help="write the tables into this page, too")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    figures: list[Figure] = []
    for path in sorted(HERE.glob(f"{asked.side}_*.py")):
        part = path.stem.removeprefix(f"{asked.side}_")
        if asked.only and part not in asked.only:
            continue
        began = time.monotonic()
        found = [{"part": part, **figure} for figure in _load(path).run()]
        console.print(_table(part, found, time.monotonic() - began))
        figures += found
    about = _write("-".join([asked.side, *asked.only]), figures)
    if asked.page is not None and figures:
        performance_page.write(asked.page, about, figures)
    missed = [figure["metric"] for figure in figures if not performance_page.reached(figure)]
    for metric in missed:
        console.print(f"MISSED: {metric}", style="bold red")
    if not figures:
        console.print("nothing was measured", style="bold red")
    return int(bool(missed) or not figures)


def _load(path: Path) -> Any:  # noqa: ANN401  # a module with run()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _table(part: str, figures: list[Figure], took_s: float) -> Table:
    table = Table(title=f"{part} ({took_s:.0f} s)", title_justify="left")
    for name in ("what", "value", "target", "", "beside it"):
        table.add_column(name, justify="right" if name in {"value", "target"} else "left")
    for figure in figures:
        peers = ", ".join(f"{name} {value}" for name, value in figure["peers"].items())
        target = f"{figure['op']} {figure['target']}" if figure["op"] else ""
        verdict = "ok" if performance_page.reached(figure) else "MISSED"
        value = f"{figure['value']} {figure['unit']}"
        table.add_row(figure["metric"], value, target, verdict if figure["op"] else "", peers)
    return table


def _write(name: str, figures: list[Figure]) -> dict[str, Any]:
    """Write the figures with what they were measured on; returns the latter."""
    BUILD.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    about = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_end": load,
    }
    path = BUILD / f"{name}.json"
    path.write_text(json.dumps({**about, "figures": figures}, indent=1) + "\n", "utf-8")
    return about


if __name__ == "__main__":
    sys.exit(main())
