"""Asks a server for pages one after the other, as a browser does, and says how long each took."""

import gzip
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Answer:
    """An answer to a GET.

    Attributes:
        status: Its status.
        took_ms: From the request to the last byte.
        wire_bytes: Head and body as they came.
        body_bytes: The body as it is read.
        text: The same.
    """

    status: int
    took_ms: float
    wire_bytes: int
    body_bytes: int
    text: str

    @property
    def files(self) -> list[str]:
        """The addresses of static files that a page names."""
        return sorted({path.replace("&amp;", "&") for path in _FILE.findall(self.text)})


@dataclass(frozen=True)
class Site:
    """A console, and what lets one in.

    Attributes:
        url: Where it is.
        token: The admin token.
    """

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each request."""
        return {"Authorization": f"Bearer {self.token}"}


class Asker:
    """A client that keeps its connection."""

    def __init__(self, site: Site) -> None:
        self._headers = {"Accept-Encoding": "gzip", **site.headers}
        parts = urlsplit(site.url)
        self._link = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_TIMEOUT_S
        )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        began = time.perf_counter()
        self._link.request("GET", path, headers={**self._headers, **(headers or {})})
        response = self._link.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - began) * 1_000
        head = sum(len(name) + len(value) + 4 for name, value in response.getheaders())
        packed = response.getheader("Content-Encoding") == "gzip"
        read = gzip.decompress(body) if packed else body
        text = read.decode("utf-8", "replace")
        return Answer(response.status, took_ms, head + len(body), len(read), text)

    def close(self) -> None:
        self._link.close()


def timed(site: Site, paths: list[str], times: int) -> dict[str, list[Answer]]:
    """Answers by path; each is asked for once beforehand, unless it is asked for only once."""
    asker = Asker(site)
    found: dict[str, list[Answer]] = {}
    for path in paths:
        if times > 1:
            asker.get(path)
        found[path] = [asker.get(path) for _ in range(times)]
    asker.close()
    return found
