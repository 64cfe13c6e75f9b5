"""5 MB to 1, 20 and 100 devices: bytes, time and broker memory beside a transfer per device.

Both ways run one after the other on a fresh broker, hub and devices in processes of their own. The
wall time is from the hub's first byte to the last device's last, our seeding included; there the
devices do not hash or keep what comes, neither ours nor theirs, for a fleet has its own processors.
Bytes and memory are measured with devices that do. What is cut half-way has the real link as well.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_shared.chunks import CHUNK_BYTES, pack
from fleetloop_shared.manifest import Transport
from support import transfer_bench as bench
from support.brokers import HUB, mosquitto_is_missing, start_broker
from support.transfer_bench import Kind

Figure = dict[str, Any]

ARTIFACT_BYTES = 5_000_000
FLEETS = (1, 20, 100)
LARGEST, CUT = 100, 30
ROUNDS = 3
PROCESSES = 2

_spawn = get_context("spawn")


@dataclass(frozen=True)
class Transfer:
    """One run.

    Attributes:
        wall_s: From the first byte to the last device's last.
        egress_bytes: What TCP carried away from the hub.
        broker_bytes: The broker's largest resident memory.
        done: Devices that have the whole artifact.
        twice: Chunks that came to a device that had them.
        middle_cpu_s: Processor time of hub and broker.
    """

    wall_s: float
    egress_bytes: int
    broker_bytes: int
    done: int
    twice: int
    middle_cpu_s: float


def run() -> list[Figure]:
    """All figures."""
    if mosquitto_is_missing():
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    transport, encoded = pack(np.random.default_rng(0).bytes(ARTIFACT_BYTES), CHUNK_BYTES)
    figures = []
    for broker in ("mosquitto", "nats"):
        rig = Rig(broker, transport, encoded)
        for size in FLEETS:
            figures += _compared(rig, size)
        figures += _timed(rig)
        figures += _cut(rig)
    return figures


def _compared(rig: "Rig", size: int) -> list[Figure]:
    """Bytes and memory, with devices that do all a device does."""
    ours, theirs = (rig.transfer(way, size, Kind()) for way in ("ours", "aws"))
    where = f"{rig.broker}, {size} devices"
    target = size == LARGEST and rig.broker == "mosquitto"
    egress = {"theirs": f"{theirs.egress_bytes / ARTIFACT_BYTES:.2f} x"}
    memory = {"ours": _mebibytes(ours), "theirs": _mebibytes(theirs)}
    ratio = ours.broker_bytes / theirs.broker_bytes
    return [
        _figure(
            f"hub egress, {where}", ours.egress_bytes / ARTIFACT_BYTES, "x artifact", 1.05, egress
        ),
        _figure(f"broker memory, {where}", ratio, "x theirs", 1.0 if target else None, memory),
    ]


def _timed(rig: "Rig") -> list[Figure]:
    """Time to bring it to all, with devices whose own work costs nothing."""
    found: dict[str, list[Transfer]] = {"ours": [], "aws": [], "thingsboard": []}
    for _ in range(ROUNDS):
        for way, runs in found.items():
            runs.append(rig.transfer(way, LARGEST, Kind(drains=True)))
    wall = {way: statistics.median(t.wall_s for t in runs) for way, runs in found.items()}
    busy = {way: statistics.median(t.middle_cpu_s for t in runs) for way, runs in found.items()}
    where = f"{rig.broker}, {LARGEST} devices"
    return [
        _ratio(f"wall time, {where}", wall, 0.65),
        _ratio(f"processor time of hub and broker, {where}", busy, None),
    ]


def _cut(rig: "Rig") -> list[Figure]:
    found = rig.transfer("ours", LARGEST, Kind(cuts=CUT))
    where = f"{rig.broker}, {CUT} of {LARGEST} devices cut half-way"
    egress = {"hub egress": f"{found.egress_bytes / ARTIFACT_BYTES:.3f} x artifact"}
    return [
        _figure(f"devices left without, {where}", LARGEST - found.done, "", 0, {}),
        _figure(f"chunks fetched twice, {where}", found.twice, "", 0, egress),
    ]


def _mebibytes(transfer: "Transfer") -> str:
    return f"{transfer.broker_bytes / 2**20:.1f} MiB"


def _ratio(metric: str, seconds: dict[str, float], target: float | None) -> Figure:
    """Ours to the better of theirs."""
    best = min(value for way, value in seconds.items() if way != "ours")
    said: dict[str, object] = {way: f"{value:.2f} s" for way, value in seconds.items()}
    return _figure(metric, seconds["ours"] / best, "x theirs", target, said)


@dataclass(frozen=True)
class Rig:
    """What is moved over which broker.

    Attributes:
        broker: `mosquitto` or `nats`.
        transport: How the artifact travels.
        encoded: Its bytes.
    """

    broker: str
    transport: Transport
    encoded: bytes

    def transfer(self, way: str, size: int, kind: Kind) -> "Transfer":
        """Move the artifact to a fleet on a fresh broker."""
        names = [BrokerAccount(f"station-{n}", f"password-{n}", "plains") for n in range(size)]
        with tempfile.TemporaryDirectory() as base:
            folder = Path(base) / "broker"
            broker = start_broker(self.broker, folder, [HUB, *names])
            try:
                return self._on(broker, folder, way, kind, names)
            finally:
                broker.stop()

    def _on(
        self, broker: Broker, folder: Path, way: str, kind: Kind, names: list[BrokerAccount]
    ) -> "Transfer":
        accounts = [bench.Account(broker.address, a.username, a.password) for a in [HUB, *names]]
        hub, pipe = _spawn.Pipe()
        chunk_bytes = self.transport.chunk_bytes
        args = (way == "ours", accounts[0], self.encoded, chunk_bytes, pipe)
        processes, ends = [_spawn.Process(target=bench.hub, args=args)], []
        groups = min(PROCESSES, len(names))
        each = Kind(drains=kind.drains, cuts=kind.cuts // groups)
        for number in range(groups):
            end, pipe = _spawn.Pipe()
            ends.append(end)
            fleet = (way, accounts[1 + number :: groups], self.transport, each, pipe)
            processes.append(_spawn.Process(target=bench.devices, args=fleet))
        for process in processes:
            process.start()
        try:
            return _timed_run(folder, hub, ends)
        finally:
            for process in processes:
                process.join(10.0)
                process.terminate()


def _timed_run(folder: Path, hub: Connection, ends: list[Connection]) -> "Transfer":
    for end in [hub, *ends]:
        end.recv()
    began, cpu_s = time.monotonic(), -_cpu_s(folder)
    hub.send("begin")
    hub.recv()
    for end in ends:
        end.send("begin")
    tallies = [end.recv() for end in ends]
    wall_s = time.monotonic() - began
    cpu_s += _cpu_s(folder)
    hub.send("end")
    sent = hub.recv()
    held = _largest_memory(folder)
    for end in ends:
        end.send("end")
    return Transfer(
        wall_s=wall_s,
        egress_bytes=sent.sent_bytes,
        broker_bytes=held,
        done=sum(tally.done for tally in tallies),
        twice=sum(tally.twice for tally in tallies),
        middle_cpu_s=sent.cpu_s + cpu_s,
    )


def _pid(folder: Path) -> int:
    return int((folder / "broker.pid").read_text("ascii"))


def _cpu_s(folder: Path) -> float:
    """The broker's processor time so far; see proc(5)."""
    fields = Path(f"/proc/{_pid(folder)}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _largest_memory(folder: Path) -> int:
    """The broker's peak, which Linux keeps for each process."""
    pid = _pid(folder)
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    (peak,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(peak.split()[1]) * 1024


def _figure(
    metric: str, value: float, unit: str, target: float | None, peers: Mapping[str, object]
) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        "op": "" if target is None else "<=",
        "target": target,
        "peers": peers,
    }
