"""Feeds a sensor's rows to a device's local HTTP endpoint, as any program on the device does."""

import http.client
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import numpy as np

from fleetloop_firmware_sim.errors import FeedError
from fleetloop_firmware_sim.recording import Recording, Truth
from fleetloop_firmware_sim.sensor import Answer, Feeder, Given

T = TypeVar("T")

_TIMEOUT_S = 10.0
_NOT_NOW = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR}


class _Health(msgspec.Struct, frozen=True):
    serving: bool
    version: int = 0
    features: list[str] = []


class _Answers(msgspec.Struct, frozen=True):
    answers: list[Answer]


class HttpFeeder(Feeder):
    """Over one connection that is kept, and made anew when it has ended."""

    def __init__(self, url: str) -> None:
        """Nothing is asked yet.

        Args:
            url: The endpoint's address, `http://host:port`.

        Raises:
            FeedError: It is not one.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.port is None:
            raise FeedError(f"{url!r} is not a device's address: write http://host:port")
        self._url = url
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, _TIMEOUT_S)
        self._columns: list[str] | None = None
        self._version = 0

    def columns(self) -> list[str] | None:
        if self._columns is None:
            status, body = self._ask("GET", "/health")
            if status == HTTPStatus.OK:
                health = self._read(body, _Health)
                self._columns, self._version = health.features, health.version
        return self._columns

    def predict(self, rows: Given) -> list[Answer] | None:
        columns = self.columns()
        if columns is None:
            return None
        named = Recording(columns, rows, []).named() if isinstance(rows, np.ndarray) else rows
        if any(isinstance(x, float) and math.isinf(x) for row in named for x in row.values()):
            raise FeedError("the device refuses these rows: JSON has no infinite numbers")
        status, body = self._ask("POST", "/predict", {"rows": named})
        if status == HTTPStatus.OK:
            answers = self._read(body, _Answers).answers
            if answers and answers[-1].version != self._version:
                self._columns = None
            return answers
        self._columns = None
        if status in _NOT_NOW or self.columns() not in (None, columns):
            return None
        raise FeedError(f"{self._url} refuses these rows ({status}): {_text(body)}")

    def feedback(self, labels: Sequence[tuple[str, Truth]]) -> None:
        told = [{"prediction_id": name, "label": label} for name, label in labels]
        status, body = self._ask("POST", "/feedback", {"labels": told})
        if status != HTTPStatus.OK:
            raise FeedError(f"{self._url} refuses these labels ({status}): {_text(body)}")

    def status(self) -> dict[str, Any]:
        """What the device says of itself.

        Raises:
            FeedError: It does not answer.
        """
        status, body = self._ask("GET", "/status")
        if status != HTTPStatus.OK:
            raise FeedError(f"{self._url} does not tell its status ({status}): {_text(body)}")
        return self._read(body, dict[str, Any])

    def close(self) -> None:
        """End the connection; it is made anew when something is asked."""
        self._connection.close()

    def _ask(self, method: str, path: str, message: object = None) -> tuple[int, bytes]:
        """Ask once; a second time if the kept connection had been closed at the other end."""
        fresh = self._connection.sock is None
        body = None if message is None else msgspec.json.encode(message)
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            if not fresh and isinstance(error, ConnectionError):
                return self._ask(method, path, message)
            self._columns = None
            raise FeedError(
                f"no device answers at {self._url} ({error}): start it with"
                " `fleetloop-agent run --config FILE`, and see http.port there"
            ) from error

    def _read(self, body: bytes, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=type_)
        except msgspec.MsgspecError as error:
            raise FeedError(f"{self._url} does not answer as a device does: {error}") from error


def _text(body: bytes) -> str:
    return body[:300].decode("utf-8", "replace")
