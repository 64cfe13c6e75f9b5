"""The agent inside an application's own process: it asks without a socket in between."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from fleetloop_agent import config
from fleetloop_agent.agent import Agent
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device import enrol
from fleetloop_agent.device.lock import StateLock
from fleetloop_agent.errors import NoModelError
from fleetloop_agent.machine import PluggedIn, plugged_in
from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.records import Answer, Answered
from fleetloop_agent.status import Status
from fleetloop_agent.version import VERSION
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import EnrolAnswer

_LOOK_S = 0.05
_log = logging.getLogger(__name__)


class Device:
    """The agent of this device, in this process; safe to be called from many threads."""

    def __init__(self, agent: Agent) -> None:
        """Ask an agent that has started.

        Args:
            agent: It.
        """
        self._predictor = agent.predictor
        self._agent = agent
        self._fault: str | None = None

    def predict(self, rows: Given, key: str | None = None) -> list[Answer]:
        """A record for each row; see `answer`."""
        return self._predictor.answer(rows, key=key).each()

    def answer(self, rows: Given, key: str | None = None) -> Answered:
        """Answer rows, all or none of them, as arrays; records of them are made when asked for.

        Args:
            rows: One mapping of feature names to values each, None or NaN where a value is
                missing; or an array with the signature's features as its columns, a category as
                its place among the feature's categories. A float32 array is fastest.
            key: Whose rows these are: where a split is on, a challenger answers those of some
                keys, always of the same; the answer says which version it was.

        Raises:
            InputError: These are not the model's inputs; names row and feature.
            DeadlineError: The model took too long on them.
            ModelError: The model failed on them.
            NoModelError: No model has come yet.
        """
        return self._predictor.answer(rows, key=key)

    def feedback(self, labels: Sequence[tuple[str, str | float]]) -> int:
        """Pass on labels that became known: pairs of prediction id and label, all or none.

        Returns:
            How many of the answers they are about are remembered here.

        Raises:
            InputError: Not a pair, not an id of this device, or not a label; names which.
        """
        return self._predictor.feedback(labels)

    @property
    def manifest(self) -> Manifest | None:
        """What serves now: name, version, hash, features; None before the first model."""
        return self._predictor.manifest

    @property
    def status(self) -> Status:
        """What the agent does, as of the last half second."""
        return self._agent.status

    @property
    def fault(self) -> str | None:
        """Why the agent has ended, if it has: rows are answered still, nothing is reported."""
        return self._fault

    def wait_for_model(self, timeout_s: float) -> Manifest:
        """What serves, as soon as something does.

        Args:
            timeout_s: The longest to wait, in seconds.

        Raises:
            NoModelError: Nothing has come until then.
        """
        until = time.monotonic() + timeout_s
        while (manifest := self.manifest) is None:
            if time.monotonic() >= until:
                raise NoModelError(
                    f"no model within {timeout_s:g} s; it comes with the first rollout"
                )
            time.sleep(_LOOK_S)
        return manifest

    def ended(self, fault: str) -> None:
        """The agent has ended before it was told to.

        Args:
            fault: Why.
        """
        self._fault = fault


@contextlib.contextmanager
def embedded(settings: AgentConfig | Path | str) -> Iterator[Device]:
    """Run this device's agent in a thread of this process, until the end of the `with` block.

    It is the whole agent: it serves the model on the disk at once, watches and reports, follows
    rollouts, and answers other programs on the local endpoint. No daemon may run on the same state
    folder beside it.

    Args:
        settings: The agent's config file, or what is in it.

    Raises:
        ConfigError: The config does not say what it should.
        StateError: Another agent uses the state folder.
        EnrolError: This device is not enrolled, and the hub does not take it in now.
    """
    known = settings if isinstance(settings, AgentConfig) else config.read(Path(settings))
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(StateLock(known.state_dir).release)
        disk = RealDisk(known.state_dir)
        identity = enrol.known(disk, known.device) or enrol.enrol(known, VERSION, disk)
        started: Future[Device] = Future()
        stopping = threading.Event()
        thread = threading.Thread(
            target=_run, args=(known, identity, started, stopping), name="fleetloop-agent"
        )
        thread.start()
        cleanup.callback(thread.join)
        cleanup.callback(stopping.set)
        yield started.result()


def _run(
    settings: AgentConfig,
    identity: EnrolAnswer,
    started: "Future[Device]",
    stopping: threading.Event,
) -> None:
    """The agent's thread: it makes and ends everything, as SQLite wants it."""
    try:
        with plugged_in(settings, identity, RealDisk(settings.state_dir)) as plugged:
            device = Device(plugged.agent)
            started.set_result(device)
            _step(plugged, device, stopping)
            stopping.wait()
    except Exception as error:  # noqa: BLE001  # the edge of a thread: who waits hears of it
        if started.done():
            _log.exception("the agent did not end in good order")
        else:
            started.set_exception(error)


def _step(plugged: PluggedIn, device: Device, stopping: threading.Event) -> None:
    try:
        while not stopping.is_set():
            plugged.step()
    except Exception as error:  # noqa: BLE001  # an edge: the application goes on and can see it
        _log.exception("the agent has ended; rows are answered still, nothing is reported")
        device.ended(f"{type(error).__name__}: {error}")
