"""The hub as a stranger meets it: its HTTP interface."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from fleetloop_firmware_sim.errors import HubError

_TIMEOUT_S = 60.0


class HubApi:
    """A hub's HTTP interface, with the token of who may change things."""

    def __init__(self, url: str, token_file: Path) -> None:
        """Nothing is asked yet.

        Args:
            url: Such as `http://127.0.0.1:8080`.
            token_file: Where the hub keeps its admin token; read when it is needed.
        """
        self.url = url.rstrip("/")
        self._token_file = token_file

    def get(self, path: str) -> Any:  # noqa: ANN401  # whatever JSON the hub answers
        """What the hub answers to GET `/api/v1{path}`.

        Raises:
            HubError: It does not answer, or refuses.
        """
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers=self._proof())  # noqa: S310  # http only
        return self._ask(request)

    def post(self, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401  # as get
        """What the hub answers to POST `/api/v1{path}`.

        Raises:
            HubError: It does not answer, or refuses; the text is the hub's own.
        """
        headers = {"Content-Type": "application/json", **self._proof()}
        request = urllib.request.Request(  # noqa: S310  # http only
            f"{self.url}/api/v1{path}", msgspec.json.encode(body), headers
        )
        return self._ask(request)

    def awake(self) -> bool:
        """Whether the hub answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=_TIMEOUT_S):  # noqa: S310
                return True
        except (OSError, http.client.HTTPException):
            return False

    def _proof(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token_file.read_text('utf-8').strip()}"}

    def _ask(self, request: urllib.request.Request) -> Any:  # noqa: ANN401  # as get
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return msgspec.json.decode(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise HubError(_detail(error.read()) or f"the hub answers {error.code}") from error
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            raise HubError(
                f"no hub at {self.url} ({error}): start one with `fleetloop serve`"
            ) from error


def _detail(body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return ""
    return str(problem.get("detail") or problem.get("title") or "")
