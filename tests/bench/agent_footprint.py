"""What the agent costs a device: disk, memory, the start, and doing nothing.

The real daemon in an environment with its own wheels only, at a real broker: a model of 30 features
in int8, trusted statements, HTTP and sensors over MQTT, all together.
"""

import http.client
import json
import os
import secrets
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np

from fleetloop_firmware_sim.scenarios.repositories import Repository
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_shared.sampling import SamplingPolicy
from fleetloop_shared.topics import Topic
from support.agent_process import DEVICE, AgentProcess, EnrolServer
from support.brokers import HUB, Links, start_broker
from support.device_env import device_python
from support.footprint_model import NAMES, shipment
from support.hubside import COHORT, Hubside

Figure = dict[str, Any]

STARTS = 7
IDLE_S = 30.0
SETTLE_S = 5.0
REQUESTS = 3_000
ROWS_A_BATCH = 200
PATIENCE_S = 30.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory() as base, ExitStack() as stack:
        folder = Path(base)
        python = device_python(folder)
        bench = _Bench(folder, python, stack)
        starts_s, starts_cpu_s = zip(*[bench.start() for _ in range(STARTS)], strict=True)
        fresh_bytes = bench.rss_bytes()
        bench.work()
        rss_bytes = bench.rss_bytes()
        time.sleep(SETTLE_S)
        idle_ratio, wakes = bench.idle()
        return [
            _figure("installed", _installed_bytes(python) / 1e6, "MB", 190, _largest(python)),
            _figure(
                "process start to first answer",
                statistics.median(starts_s),
                "s",
                1.0,
                {
                    "processor time": f"{statistics.median(starts_cpu_s):.2f} s",
                    "fastest": f"{min(starts_s):.2f} s",
                    "slowest": f"{max(starts_s):.2f} s",
                },
            ),
            _figure(
                "memory while HTTP, MQTT and trust are served",
                rss_bytes / 2**20,
                "MiB",
                80,
                {
                    "at the first answer": f"{fresh_bytes / 2**20:.1f} MiB",
                    "at its highest": f"{bench.highest_bytes() / 2**20:.1f} MiB",
                    "that equals no file": f"{bench.own_bytes() / 2**20:.1f} MiB",
                },
            ),
            _figure(
                "processor while nothing is asked",
                100 * idle_ratio,
                "% of a core",
                0.5,
                {"wake-ups a second": round(wakes, 1)},
            ),
        ]


class _Bench:
    """A daemon that has a model, and whom it talks to."""

    def __init__(self, folder: Path, python: Path, stack: ExitStack) -> None:
        account = BrokerAccount(DEVICE, secrets.token_urlsafe(24), cohort=COHORT)
        broker = start_broker("nats", folder / "broker", [HUB, account])
        stack.callback(broker.stop)
        links = Links()
        stack.callback(links.close)
        self._hub = links.to(broker, HUB)
        now = time.time() - 60.0
        hub = Hubside(Repository(now), Repository(now))
        identity = hub.identity(DEVICE, broker=broker.address)
        identity = msgspec.structs.replace(identity, password=account.password)
        server = stack.enter_context(closing(EnrolServer(identity)))
        self._agent = stack.enter_context(
            closing(
                AgentProcess(
                    folder, server.url, server.token, _sensors(broker, folder), python=python
                )
            )
        )
        self._row = dict.fromkeys(NAMES, 0.5)
        self._rng = np.random.default_rng(2)
        self._side, self._shipped, self._now = hub, shipment(hub), now
        self._publish(1)
        self._hub.link.subscribe(Topic.EVENTS.every())
        self._agent.start()
        self._agent.until(lambda said: said["state"] == "trial", "the trial")
        self._agent.predict([self._row] * 3)
        self._agent.until(lambda said: said["state"] == "serving", "the commit")

    def _publish(self, sequence: int) -> None:
        """Sign and say what is to run; with a new sequence the device verifies all of it again."""
        side, shipped = self._side, self._shipped
        desired = side.desire(
            sequence,
            shipped.release,
            soak_rows=3,
            sampling=SamplingPolicy(random_share=0.01),
            issued_at=self._now,
        )
        for topic, payload in {
            Topic.IMAGE.at(): side.listing([shipped], sequence),
            Topic.DIRECTOR.at(cohort=COHORT): side.direct(desired),
            **shipped.blobs,
        }.items():
            if not self._hub.link.publish(topic, payload, retained=True):
                raise RuntimeError(f"{topic} could not be published")

    def start(self) -> tuple[float, float]:
        """End the daemon and start it; returns seconds to its first answer, and of processor."""
        self._agent.stop()
        (self._agent.folder / "state" / "http-address").unlink(missing_ok=True)
        began = time.perf_counter()
        self._agent.start()
        deadline = began + PATIENCE_S
        while time.perf_counter() < deadline:
            try:
                self._agent.predict([self._row])
            except (OSError, ValueError):
                time.sleep(0.002)
            else:
                return time.perf_counter() - began, self._cpu_s()
        raise TimeoutError("no answer")

    def work(self) -> None:
        """Ask as programs and sensors do, one by one and many at once."""
        address = (self._agent.folder / "state" / "http-address").read_text("ascii")
        with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)) as asking:
            for _ in range(REQUESTS):
                self._ask(asking, 1)
            for _ in range(REQUESTS // ROWS_A_BATCH):
                self._ask(asking, ROWS_A_BATCH)
        for _ in range(REQUESTS // 10):
            self._hub.link.publish("fleetloop/bench/rows/a", json.dumps(self._rows(1)[0]).encode())
            self._hub.pump()
        self._agent.until(lambda _: self._sensed() >= REQUESTS // 10, "the sensors' answers")
        self._publish(2)
        self._agent.until(lambda said: said["sequence"] == 2, "what is signed anew")

    def _ask(self, asking: http.client.HTTPConnection, rows: int) -> None:
        asking.request("POST", "/predict", json.dumps({"rows": self._rows(rows)}))
        response = asking.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(body)

    def _sensed(self) -> int:
        sensors = self._agent.call("/status")["sensors"]
        return int(sensors["answered"]) if isinstance(sensors, dict) else 0

    def _rows(self, count: int) -> list[dict[str, float]]:
        values = self._rng.normal(size=(count, len(NAMES))).round(3).tolist()
        return [dict(zip(NAMES, row, strict=True)) for row in values]

    def rss_bytes(self) -> int:
        """Resident memory of the daemon."""
        statm = Path(f"/proc/{self._agent.pid}/statm").read_text("ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def highest_bytes(self) -> int:
        """The most resident memory that the daemon has had since its start."""
        return self._status_bytes("VmHWM")

    def own_bytes(self) -> int:
        """Resident memory that the kernel cannot take back: all but copies of files."""
        return self._status_bytes("RssAnon")

    def _status_bytes(self, name: str) -> int:
        lines = Path(f"/proc/{self._agent.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

    def idle(self) -> tuple[float, float]:
        """Share of a core, and wake-ups a second, while nothing is asked."""
        before, woken, began = self._cpu_s(), self._wakes(), time.monotonic()
        time.sleep(IDLE_S)
        passed_s = time.monotonic() - began
        return (self._cpu_s() - before) / passed_s, (self._wakes() - woken) / passed_s

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self._agent.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def _wakes(self) -> int:
        tasks = Path(f"/proc/{self._agent.pid}/task").glob("*/status")
        lines = [line for task in tasks for line in task.read_text("ascii").splitlines()]
        return sum(int(x.split()[1]) for x in lines if x.startswith("voluntary_ctxt_switches"))


def _sensors(broker: Broker, folder: Path) -> str:
    (folder / "secret").write_text(HUB.password, "utf-8")
    return (
        f'[mqtt]\nbroker = "{broker.address}"\nusername = "{HUB.username}"\n'
        'password_file = "secret"\ninput = "fleetloop/bench/rows/+"\n'
        'output = "fleetloop/bench/answers/{0}"\n'
    )


def _installed_bytes(python: Path) -> int:
    return sum(_sizes(python).values())


def _largest(python: Path) -> dict[str, str]:
    sizes = sorted(_sizes(python).items(), key=lambda item: -item[1])
    return {name: f"{size / 1e6:.0f} MB" for name, size in sizes[:4]}


def _sizes(python: Path) -> dict[str, int]:
    """Bytes of each package in the environment, compiled files with them."""
    (packages,) = (python.parents[1] / "lib").glob("python*/site-packages")
    found: dict[str, int] = {}
    for path in packages.rglob("*"):
        if path.is_file():
            name = path.relative_to(packages).parts[0].partition(".")[0]
            found[name] = found.get(name, 0) + path.stat().st_size
    return found


def _figure(metric: str, value: float, unit: str, target: float, peers: dict[str, Any]) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        "op": "<=",
        "target": target,
        "peers": peers,
    }
