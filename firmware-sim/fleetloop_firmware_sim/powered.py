"""Link, outbox and runtime under a power supply that can fail before each act."""

from collections.abc import Callable

from fleetloop_agent.ports import Model, Outbox, Pending, Runtime
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments
from fleetloop_shared.errors import DiskFaultError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.link import Event, Link, Will
from fleetloop_shared.manifest import Signature
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic


class PoweredLink(Link):
    """A link; power can fail before each message."""

    def __init__(self, link: Link, moments: Moments) -> None:
        """Put a link under power.

        Args:
            link: The link.
            moments: The power supply.
        """
        self._link = link
        self._moments = moments

    def start(self, will: Will | None) -> None:
        self._moments.tick("connect")
        self._link.start(will)

    def stop(self) -> None:
        self._link.stop()

    @property
    def connected(self) -> bool:
        return self._link.connected

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        self._moments.tick(f"publish {topic}")
        return self._link.publish(topic, payload, qos=qos, retained=retained)

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        self._moments.tick(f"subscribe {filter_}")
        self._link.subscribe(filter_, qos)

    def unsubscribe(self, filter_: str) -> None:
        self._link.unsubscribe(filter_)

    def events(self) -> list[Event]:
        return self._link.events()

    def wait(self, timeout_s: float) -> None:
        self._link.wait(timeout_s)


class PoweredOutbox(Outbox):
    """An outbox on a disk that may become read-only; power can fail before each change.

    It keeps its own promises.

    Attributes:
        appended: Every report that was taken in, by its (boot, seq).
    """

    def __init__(self, outbox: Outbox, flash: Flash) -> None:
        """Put an outbox under power.

        Args:
            outbox: The outbox.
            flash: Says whether there is power, and whether anything can be written.
        """
        self.appended: dict[tuple[int, int], Report] = {}
        self._outbox = outbox
        self._flash = flash

    @property
    def boot(self) -> int:
        return self._outbox.boot

    def append(self, topic: Topic, build: Callable[[int, int], Report]) -> None:
        self._begin(f"report {topic.name.lower()}")
        built: list[Report] = []

        def note(boot: int, seq: int) -> Report:
            built.append(build(boot, seq))
            return built[-1]

        self._outbox.append(topic, note)
        self.appended[built[-1].boot, built[-1].seq] = built[-1]

    def pending(self, limit: int) -> list[Pending]:
        return self._outbox.pending(limit)

    def acknowledge(self, boot: int, seqs: list[int]) -> None:
        self._begin("acknowledge")
        self._outbox.acknowledge(boot, seqs)

    def counts(self) -> tuple[int, int, int]:
        return self._outbox.counts()

    @property
    def size_bytes(self) -> int:
        return self._outbox.size_bytes

    def _begin(self, act: str) -> None:
        self._flash.moments.tick(act)
        if self._flash.read_only:
            raise DiskFaultError(f"{act}: Read-only file system; check the disk")


class PoweredRuntime(Runtime):
    """A runtime; power can fail while a model is loaded, as when the model crashes the device.

    Attributes:
        loaded: SHA-256 of the bytes of every load, in order, also of those that power cut short.
    """

    def __init__(self, runtime: Runtime, moments: Moments) -> None:
        """Put a runtime under power.

        Args:
            runtime: The runtime.
            moments: The power supply.
        """
        self.loaded: list[str] = []
        self._runtime = runtime
        self._moments = moments

    def load(self, artifact: bytes, signature: Signature) -> Model:
        sha256 = sha256_hex(artifact)
        self.loaded.append(sha256)
        self._moments.tick(f"load {sha256[:12]}")
        model = self._runtime.load(artifact, signature)
        self._moments.tick(f"loaded {sha256[:12]}")
        return model
