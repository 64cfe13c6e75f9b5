"""The small parts of a simulated board: its clock, its memory, its bench for self-tests."""

import resource
import time
from pathlib import Path

from fleetloop_agent.ports import Clock, Finding, Host, Model, Runtime, SelfTest
from fleetloop_agent.update.examine import examine
from fleetloop_shared.codec import encode
from fleetloop_shared.manifest import Manifest, Signature

STEADY_RSS_BYTES = 50_000_000


class WallClock(Clock):
    """The clocks of the machine that simulates."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class SharedHost(Host):
    """A machine that many simulated devices share: each says its share of the memory."""

    def __init__(self, devices: int = 1) -> None:
        """Share a process.

        Args:
            devices: Among how many.
        """
        self._devices = devices

    def rss_bytes(self) -> int:
        try:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        except FileNotFoundError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // self._devices
        return pages * resource.getpagesize() // self._devices


class SteadyHost(Host):
    """A machine whose memory never changes, so that the same story is told the same."""

    def rss_bytes(self) -> int:
        return STEADY_RSS_BYTES


class KeptRuntime(Runtime):
    """A runtime that loads equal bytes once: models know nothing of who asks them."""

    def __init__(self, runtime: Runtime) -> None:
        """Nothing is loaded yet.

        Args:
            runtime: What loads models.
        """
        self._runtime = runtime
        self._models: dict[tuple[bytes, bytes], Model] = {}

    def load(self, artifact: bytes, signature: Signature) -> Model:
        key = (artifact, encode(signature))
        if key not in self._models:
            self._models[key] = self._runtime.load(artifact, signature)
        return self._models[key]


class InlineSelfTest(SelfTest):
    """The agent's own examination, in this process: a simulated device has no children."""

    def __init__(self, runtime: Runtime, clock: Clock, host: Host) -> None:
        """Nothing is tested yet.

        Args:
            runtime: What loads the model.
            clock: Measures its answers.
            host: Measures its memory.
        """
        self._runtime = runtime
        self._clock = clock
        self._host = host
        self._finding: Finding | None = None

    def start(self, manifest: Manifest, artifact: bytes) -> None:
        self._finding = examine(manifest, artifact, self._runtime, self._clock, self._host)

    def poll(self) -> Finding | None:
        return self._finding or Finding(passed=False, text="no self-test was started")
