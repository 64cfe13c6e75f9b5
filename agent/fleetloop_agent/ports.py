"""What the agent's core needs from the device, as promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_shared.durable import Disk
from fleetloop_shared.link import Link
from fleetloop_shared.manifest import Manifest, Signature
from fleetloop_shared.messages import Shadow
from fleetloop_shared.reports import Report
from fleetloop_shared.system import SystemHealth
from fleetloop_shared.topics import Topic

Rows = npt.NDArray[np.float32]
"""Rows of features, shape (rows, features); NaN is a missing value."""


class Clock(ABC):
    """Two clocks: what time it is, and how much has passed."""

    @abstractmethod
    def now(self) -> float:
        """Unix seconds; may jump."""

    @abstractmethod
    def monotonic(self) -> float:
        """Seconds since some moment of this boot; never goes back."""

    def monotonic_ns(self) -> int:
        """The same in nanoseconds, for what takes microseconds."""
        return round(self.monotonic() * 1e9)

    def ahead_s(self, at: float) -> float:
        """How far local time is ahead of UTC at Unix seconds; 0 where the device knows no zone."""
        return 0.0


class Model(ABC):
    """An artifact that is loaded and answers; safe to be called from many threads."""

    @abstractmethod
    def outputs(self, rows: Rows) -> Rows:
        """One probability a class, shape (rows, classes), or a regression's values, (rows, 1).

        Raises:
            DeadlineError: It took too long, and was given up.
            ModelError: It failed on these rows.
        """

    def one(self, row: bytes) -> list[float]:
        """The same for one row, where a runtime knows a faster way.

        Args:
            row: Its float32 values in the machine's own order, as many as there are features.

        Raises:
            DeadlineError: It took too long, and was given up.
            ModelError: It failed on this row.
        """
        values: list[float] = self.outputs(np.frombuffer(row, np.float32)[None])[0].tolist()
        return values


class Runtime(ABC):
    """Turns bytes into a model that answers."""

    @abstractmethod
    def load(self, artifact: bytes, signature: Signature) -> Model:
        """Load an artifact.

        Raises:
            ModelError: It does not load, or its inputs and outputs are not the signature's.
        """

    def end_overdue(self, now: float) -> int:
        """Tell runs to end that take longer than a run may; called now and then.

        Args:
            now: Monotonic seconds.

        Returns:
            How many runs go on beyond their time.
        """
        return 0

    def apart(self) -> "Runtime":
        """The same for models whose overdue runs are not to be counted with others."""
        return self


@dataclass(frozen=True)
class Health:
    """How a loaded model has served since it was loaded.

    Attributes:
        rows: Rows it has answered.
        errors: Rows it has failed on.
    """

    rows: int
    errors: int


class Serving(ABC):
    """The place where the loaded model answers, as the update sees it."""

    @abstractmethod
    def load(self, manifest: Manifest, artifact: bytes) -> None:
        """Serve this from now on; the change is one assignment, no answer is lost or mixed.

        Raises:
            ModelError: It does not load; what was served before goes on.
        """

    @abstractmethod
    def unload(self) -> None:
        """Serve nothing from now on; no error if nothing was served."""

    @property
    @abstractmethod
    def manifest(self) -> Manifest | None:
        """What is being served."""

    @abstractmethod
    def health(self) -> Health:
        """How it has gone since the last `load`."""


class ChallengerSeat(ABC):
    """The place beside the champion, as the update sees it: `fault` says why it was given up."""

    fault: str | None = None

    @abstractmethod
    def seat(self, manifest: Manifest, artifact: bytes, terms: Shadow) -> None:
        """Load a challenger beside the model that serves now.

        Raises:
            InputError: The champion's rows say nothing to it.
            ModelError: It does not load.
        """

    @abstractmethod
    def leave(self) -> None:
        """Nobody is seated any more."""

    @property
    @abstractmethod
    def manifest(self) -> Manifest | None:
        """Of the challenger that is seated."""

    @property
    @abstractmethod
    def too_slow(self) -> str | None:
        """Why its runs would hold an answer up too long, None where they do not."""


@dataclass(frozen=True)
class Finding:
    """What a self-test found.

    Attributes:
        passed: Whether the model may be tried.
        text: What was measured, or what went wrong.
    """

    passed: bool
    text: str


class SelfTest(ABC):
    """Runs the golden inputs away from serving, with limits of memory and time."""

    @abstractmethod
    def start(self, manifest: Manifest, artifact: bytes) -> None:
        """Begin; a test that is still running is given up.

        Raises:
            DiskFullError: No room to begin; it may be tried again.
        """

    @abstractmethod
    def poll(self) -> Finding | None:
        """The result, or None while it runs; a test that was never started has failed."""


@dataclass(frozen=True)
class Pending:
    """A report that the hub has not acknowledged.

    Attributes:
        boot: Its boot.
        seq: Its number.
        topic: Which kind it is.
        payload: Its bytes, as they go out.
    """

    boot: int
    seq: int
    topic: Topic
    payload: bytes


class Outbox(ABC):
    """Reports until the hub has them. What `append` returned for is still there after a power cut.

    Bounded: beyond its limit the oldest reports are dropped, and counted.
    """

    @property
    @abstractmethod
    def boot(self) -> int:
        """This start's number; grows each time the outbox is opened."""

    @abstractmethod
    def append(self, topic: Topic, build: Callable[[int, int], Report]) -> None:
        """Keep the report that `build(boot, seq)` makes; its number is the next one.

        Raises:
            DiskFullError: No room; nothing was kept.
        """

    @abstractmethod
    def pending(self, limit: int) -> list[Pending]:
        """The oldest unacknowledged reports."""

    @abstractmethod
    def acknowledge(self, boot: int, seqs: list[int]) -> None:
        """Forget reports; unknown ones are no error."""

    @abstractmethod
    def counts(self) -> tuple[int, int, int]:
        """Reports ever appended, acknowledged, dropped."""

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """Payload of the reports that are kept."""


class Host(ABC):
    """The machine the agent runs on."""

    @abstractmethod
    def rss_bytes(self) -> int:
        """Resident memory of this process."""

    def system(self) -> SystemHealth:
        """How the machine has been since the last call; where there is no sensor, None."""
        return SystemHealth()


class ApplicationLock(ABC):
    """How an application on this device asks for no change of model while it is busy."""

    @abstractmethod
    def touched_at(self) -> float | None:
        """When the application last said so, by the device's clock; None where it does not ask."""


class NoApplicationLock(ApplicationLock):
    """A device on which no application may ask."""

    def touched_at(self) -> float | None:
        return None


@dataclass(frozen=True)
class Board:
    """Everything the agent's core is plugged into.

    Attributes:
        clock: The clocks.
        disk: The state folder.
        link: The connection to the broker.
        outbox: The reports that the hub does not have yet.
        self_test: Tries a model away from serving.
        runtime: Loads models.
        host: The machine.
        application_lock: Whether an application asks to wait.
        sensor_link: The connection to the sensors' broker, None if there is none.
    """

    clock: Clock
    disk: Disk
    link: Link
    outbox: Outbox
    self_test: SelfTest
    runtime: Runtime
    host: Host
    application_lock: ApplicationLock = field(default_factory=NoApplicationLock)
    sensor_link: Link | None = None
