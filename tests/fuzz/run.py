"""Ten thousand cases of schemathesis against a real hub: no fault, and nothing but what is said.

The hub is a process with its own broker and a state folder with something of everything. First
the holder of the admin token asks, then a program with a viewer's token.

    python tests/fuzz/run.py [CASES]
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.durable import RealDisk
from support.hub_process import HubProcess
from support.hubrecords import a_quarantine, a_rollout, a_version
from support.hubweb import fill, web_hub

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "build" / "fuzz-venv" / "bin" / "schemathesis"
CONFIG = Path(__file__).with_name("schemathesis.toml")
CASES = 10_000
SHARES = {"admin": 0.9, "viewer": 0.1}
"""Who asks, and how many of the cases a route."""


def main(wanted: int) -> int:
    """Run; the exit code is 0 if nothing was found and there were as many cases as wanted."""
    began = time.monotonic()
    cases, faults = 0, 0
    for role, share in SHARES.items():
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state"
            seed(state)
            hub = HubProcess(state, "nats", "--broker-port", "0")
            try:
                hub.start()
                a_route = max(1, math.ceil(share * wanted / _operations(hub)))
                found = ask(hub, a_route, token_of(hub, role))
                failed = hub.ended is not None or "Traceback" in hub.log
                if failed:
                    sys.stdout.write(f"the hub has failed:\n{hub.log[-20_000:]}\n")
            finally:
                hub.kill()
        cases, faults = cases + found[0], faults + found[1] + failed
    took_s = time.monotonic() - began
    sys.stdout.write(f"{cases:,} cases, {faults} kinds of findings, {took_s:.0f} s\n")
    return int(faults > 0 or cases < wanted)


def token_of(hub: HubProcess, role: str) -> str:
    """What somebody of a role proves themselves by."""
    if role == "admin":
        return (hub.state / "admin.token").read_text("ascii").strip()
    asked = {"name": "odd requests", "role": role}
    made = hub.remote.post("/api-tokens", asked, dict[str, Any])
    return str(made["secret"])


def seed(state: Path) -> None:
    """Something of everything, as a loop leaves it that has gone round."""
    state.mkdir()
    Trust(RealDisk(state)).open(time.time())
    with web_hub(state) as hub:
        fill(hub)
        hub.catalog.put(a_version(2, run="rain-run-2"), a_rollout(), a_quarantine())


def ask(hub: HubProcess, a_route: int, token: str) -> tuple[int, int]:
    """Run the tool; returns how many cases there were and how many kinds of findings."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        address = f"{hub.remote.url}/api/v1/openapi.json"
        command = [str(TOOL), "--config-file", str(CONFIG), "run", address]
        command += ["--max-examples", str(a_route), "--continue-on-failure", "--no-shrink"]
        command += ["--warnings", "off", "--report", "json", "--report-json-path", str(report)]
        hooks = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(CONFIG.parent)}
        code = subprocess.run(
            [*command, "--header", f"Authorization: Bearer {token}"],
            check=False,
            env=hooks,
            cwd=folder,
        ).returncode
        told = json.loads(report.read_text("utf-8"))
    found = len(told["failures"]) + len(told["errors"])
    return int(told["test_cases"]["generated"]), found or int(code != 0)


def _operations(hub: HubProcess) -> int:
    told = hub.remote.get("/openapi.json", dict[str, Any])
    return sum(len(path) for path in told["paths"].values())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES))
