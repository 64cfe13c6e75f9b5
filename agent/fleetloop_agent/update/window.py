"""How many chunks a device waits for at a time and how fast it takes them, over all its downloads.

Each download has its own bitmap; they share one window and one pace. A place in the window that
becomes free goes to the download that waits for the fewest chunks, so that a large artifact does
not hold up a small one.
"""

import math

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.download import Download
from fleetloop_agent.update.parts import Part
from fleetloop_shared.errors import SlowRetrievalError
from fleetloop_shared.link import Link


class Window:
    """What is on its way to this device."""

    def __init__(self, device: str, link: Link, config: FetchConfig) -> None:
        """Nothing is on its way.

        Args:
            device: Whose jitter it is.
            link: The connection.
            config: Window, pace and stall time.
        """
        self._device = device
        self._link = link
        self._config = config
        self._downloads: list[Download] = []
        self._pace_at = -math.inf
        self._direct = False

    def open(self, part: Part) -> Download:
        """Begin to fetch, or go on; nothing is asked for before `step`."""
        download = Download(self._device, self._link, part, self._config)
        download.direct = self._direct
        self._downloads.append(download)
        return download

    def close(self, download: Download) -> None:
        """Ask for no more of it."""
        download.stop()
        self._downloads = [other for other in self._downloads if other is not download]

    def reconnected(self) -> None:
        """Subscriptions have ended with the connection: `step` makes them anew."""
        for download in self._downloads:
            download.reconnected()

    def answered_directly(self, *, direct: bool) -> None:
        """Whether chunks come on the device's own topic, as the broker keeps none for everybody."""
        if direct == self._direct:
            return
        self._direct = direct
        for download in self._downloads:
            download.stop()
            download.direct = direct

    def receive(self, sha256: str, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in, if somebody waits for that content.

        Raises:
            RefusedError: Not the signed bytes, or more of them; it stays asked for.
            DiskFullError: No room; it stays asked for.
        """
        for download in self._downloads:
            if download.sha256 == sha256:
                download.receive(index, payload, now)

    def step(self, now: float) -> float:
        """Move the window, ask for what does not come; returns when to step again at the latest.

        Raises:
            DiskFullError: No room to make chunks durable.
        """
        at = min((download.step(now) for download in self._downloads), default=math.inf)
        if not self._link.connected:
            return at
        places = self._config.window - sum(download.waits_for for download in self._downloads)
        while places > 0 and now >= self._pace_at:
            hungry = [download for download in self._downloads if download.wants_more]
            if not hungry:
                break
            served = min(hungry, key=lambda download: download.waits_for)
            size_bytes, places = served.take_place(now), places - 1
            if len(hungry) > 1:
                self._downloads.sort(key=lambda download: download is served)  # last in a tie
            if self._config.max_bytes_per_s is not None:
                self._pace_at = max(now, self._pace_at) + size_bytes / self._config.max_bytes_per_s
        for download in self._downloads:
            at = min(at, download.flush(now))
        return min(at, self._pace_at if self._pace_at > now else math.inf)

    def withheld(self) -> list[SlowRetrievalError]:
        """Content that does not come although it was asked for again and again: each said once."""
        found = [download.take_complaint() for download in self._downloads]
        return [complaint for complaint in found if complaint is not None]
