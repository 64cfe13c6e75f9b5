"""Looks at a device from beside its daemon: what it says of itself, and its model on given rows."""

import contextlib
import csv
import http.client
import socket
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.told import ADDRESS
from fleetloop_agent.device.words import fields_in_words, update_in_words
from fleetloop_agent.errors import InputError, StateError
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.update.journal import FOLDER, Journal
from fleetloop_agent.update.slots import Slots
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.manifest import Feature, Manifest
from fleetloop_shared.messages import ReportedState

BATCH_ROWS = 1_000

_TIMEOUT_S = 5.0
_MISSING = {"", "na", "nan", "null", "none"}


def status(config: AgentConfig, *, as_json: bool) -> int:
    """Print what the running daemon says of itself.

    Args:
        config: Names the state folder, where its address stands.
        as_json: One JSON object instead of lines for people.

    Returns:
        0.

    Raises:
        StateError: No daemon runs here.
    """
    body = _ask(config)
    if as_json:
        sys.stdout.write(f"{body.decode()}\n")
        return 0
    told = msgspec.json.decode(body, type=dict[str, object])
    update = msgspec.json.decode(body, type=_Told).reported
    for line in [*update_in_words(update), *fields_in_words(told)]:
        sys.stdout.write(f"{line}\n")
    return 0


class _Told(msgspec.Struct):
    reported: ReportedState


def score(config: AgentConfig, slot: str, rows: Path) -> int:
    """Print the answers to the rows of a CSV file, one JSON object a row.

    Args:
        config: Names the state folder.
        slot: "active" or "previous".
        rows: The file; "-" for standard input.

    Returns:
        0.

    Raises:
        StateError: There is no such model on this disk.
        SlotError: It is damaged.
        InputError: These are not its inputs; names line and feature.
    """
    disk = RealDisk(_existing(config.state_dir))
    found = sealed.load(disk, FOLDER, Journal).newest
    wanted = getattr(found, slot) if found is not None else None
    if wanted is None:
        raise StateError(f"no {slot} model in {config.state_dir}: it comes with a rollout")
    manifest, artifact = Slots(disk).load(wanted)
    predictor = Predictor(config.device, 0, OrtRuntime(), RealClock())
    predictor.load(manifest, artifact)
    with _opened(rows) as file:
        for batch in _batches(file, manifest):
            for answer in predictor.predict(batch):
                told: dict[str, object] = {"label": answer.label, "score": answer.score}
                if answer.class_name is not None:
                    told["class_name"] = answer.class_name
                sys.stdout.write(f"{msgspec.json.encode(told).decode()}\n")
    return 0


def _ask(config: AgentConfig) -> bytes:
    path = config.state_dir / ADDRESS
    advice = "start it with `fleetloop-agent run`"
    token = config.http.token
    try:
        with contextlib.closing(_connection(path.read_text("ascii").strip())) as connection:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            connection.request("GET", "/status", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
    except FileNotFoundError as error:
        raise StateError(f"no agent runs on {config.state_dir}: {advice}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise StateError(
            f"the agent of {config.state_dir} is silent ({error}): {advice}"
        ) from error
    if answer.status != HTTPStatus.OK:
        said = body.decode(errors="replace")[:300]
        raise StateError(f"the agent of {config.state_dir} refuses: {answer.status} {said}")
    return body


def _connection(address: str) -> http.client.HTTPConnection:
    where = urlsplit(address)
    if where.scheme != "unix":
        return http.client.HTTPConnection(where.netloc, timeout=_TIMEOUT_S)
    connection = http.client.HTTPConnection("localhost", timeout=_TIMEOUT_S)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(_TIMEOUT_S)
    connection.sock.connect(where.path)
    return connection


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise StateError(f"{folder} does not exist: run the agent first")
    return folder


@contextlib.contextmanager
def _opened(rows: Path) -> Iterator[TextIO]:
    if str(rows) == "-":
        yield sys.stdin
        return
    try:
        with rows.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{rows} cannot be read: {error}") from error


def _batches(file: TextIO, manifest: Manifest) -> Iterator[list[dict[str, str | float | None]]]:
    reader = csv.DictReader(file)
    features = manifest.signature.features
    absent = [f.name for f in features if f.name not in (reader.fieldnames or [])]
    if absent:
        raise InputError(f"no column {', '.join(absent)}: the first line names the features")
    batch: list[dict[str, str | float | None]] = []
    for line in reader:
        batch.append({f.name: _value(line[f.name], f, reader.line_num) for f in features})
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _value(text: str | None, feature: Feature, line: int) -> str | float | None:
    """A category is its text; one that reads as missing is so where it is not in the list."""
    if not feature.categories:
        return _number(text, feature.name, line)
    if text is None or (text.strip().lower() in _MISSING and text not in feature.categories):
        return None
    return text


def _number(text: str | None, name: str, line: int) -> float | None:
    if text is None or text.strip().lower() in _MISSING:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"line {line}, {name}: {text[:80]!r} is no number") from error
