"""The thread in which a challenger scores rows, so that no answer waits for it."""

import logging
import threading

from fleetloop_agent.serving.beside import IDLE_S, Beside

_GOODBYE_S = 2.0
"""How long an end waits for a run; one that hangs ends with the process."""

_log = logging.getLogger(__name__)


class ShadowThread:
    """Steps from `start` to `stop`, once."""

    def __init__(self, beside: Beside) -> None:
        """Nothing runs yet.

        Args:
            beside: What is stepped.
        """
        self._beside = beside
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join(_GOODBYE_S)

    def _run(self) -> None:
        rest_s = IDLE_S
        while not self._stopping.wait(rest_s):
            try:
                rest_s = self._beside.step()
            except Exception:  # noqa: BLE001  # the thread must outlive whatever happened
                _log.exception("the challenger's thread")
                rest_s = 1.0
