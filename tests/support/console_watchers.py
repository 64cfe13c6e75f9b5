"""Open pages that are live: each listens to its stream and fetches its changing part anew."""

import http.client
import itertools
import re
import threading
import time
from typing import Self
from urllib.parse import urlsplit

from support.console_pages import Page
from support.timed_answers import Asker, Site

_TOPICS = re.compile(r'data-topics="([^"]*)"')
_FETCH_EVERY_S = 2.0
"""As static/live.js does."""

_QUIET_S = 30.0
_LIVE = {"HX-Request": "true"}


class Watchers:
    """So many pages, spread over the addresses; they are open as long as this is.

    Attributes:
        different: How many different pages they are.
        fetched: How often any of them has fetched its changing part.
    """

    def __init__(self, site: Site, shown: list[Page], count: int) -> None:
        """Nothing is opened yet."""
        self._site = site
        topics = {page.path: topics_of(site, page.path) for page in shown}
        live = [path for path in topics if topics[path]]
        self.different = len(live)
        self._open = [
            (path, topics[path]) for path in itertools.islice(itertools.cycle(live), count)
        ]
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=one) for one in self._open]
        self.fetched, self.failures = 0, list[BaseException]()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _watch(self, path: str, topics: str) -> None:
        parts = urlsplit(self._site.url)
        stream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_QUIET_S)
        asker = Asker(self._site)
        fetched_at = 0.0
        try:
            stream.request("GET", f"/events/stream?topics={topics}", headers=self._site.headers)
            lines = stream.getresponse()
            while not self._ended.is_set():
                if not lines.readline().startswith(b"event: changed"):
                    continue
                time.sleep(max(0.0, fetched_at + _FETCH_EVERY_S - time.monotonic()))
                fetched_at = time.monotonic()
                answer = asker.get(path, _LIVE)
                assert answer.status == 200, answer.text  # OK
                self.fetched += 1
        except BaseException as error:  # noqa: BLE001  # a thread's failure has to reach the run
            self.failures.append(error)
        finally:
            stream.close()
            asker.close()


def topics_of(site: Site, path: str) -> str:
    """What a page is told of, "" if it is not live."""
    asker = Asker(site)
    found = _TOPICS.search(asker.get(path).text)
    asker.close()
    return found[1] if found else ""
