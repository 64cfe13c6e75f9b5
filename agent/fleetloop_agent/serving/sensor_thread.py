"""The thread in which rows of sensors are answered."""

import logging
import threading

from fleetloop_agent.serving.sensor_topics import SensorTopics

_WAIT_S = 1.0
"""How long an end may go unnoticed."""

_log = logging.getLogger(__name__)


class SensorThread:
    """Steps from `start` to `stop`, once."""

    def __init__(self, topics: SensorTopics) -> None:
        """Nothing runs yet.

        Args:
            topics: What is stepped.
        """
        self._topics = topics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sensors", daemon=True)

    def start(self) -> None:
        """Begin to connect and to answer."""
        self._topics.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then say goodbye."""
        self._stopping.set()
        self._thread.join()
        self._topics.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._topics.wait(_WAIT_S)
            try:
                self._topics.step()
            except Exception:  # noqa: BLE001  # the thread must outlive whatever happened
                _log.exception("the sensors' topics")
                self._stopping.wait(_WAIT_S)
