"""Callers of every kind while models change: each answer is held against its own model's outputs.

An answer is *mixed* if its version, its artifact and its numbers do not belong together. The models
differ in every row by far more than the numbers of one row alone and among others may.
"""

import json
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from support.http_client import RawClient
from support.local_api import local_api
from support.serving_rig import model, named, rows

BIASES = {1: 0.0, 2: 1.5, 3: -1.5}
"""Of each version: in every row, their probabilities lie at least 0.001 apart."""

POOL = 256
MOST_ROWS = 9
TOLERANCE = 1e-6
COLLECT_EACH = 25
"""Changes between two looks at what has come together; an agent looks twice a second."""


@dataclass
class Seen:
    """What a caller was told.

    Attributes:
        calls: How often it asked.
        rows: Rows that were answered.
        failed: Why calls were not answered.
        mixed: Answers whose parts do not belong together.
        numbers: Of the prediction ids.
        versions: Answers of each version.
    """

    calls: int = 0
    rows: int = 0
    failed: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    versions: Counter[int] = field(default_factory=Counter)

    def __add__(self, other: "Seen") -> "Seen":
        """Both together."""
        return Seen(
            self.calls + other.calls,
            self.rows + other.rows,
            self.failed + other.failed,
            self.mixed + other.mixed,
            self.numbers + other.numbers,
            self.versions + other.versions,
        )


class Golden:
    """What each version must answer to each row of the pool."""

    def __init__(self) -> None:
        self.pool = rows(POOL, seed=11) / np.float32(2)
        self.named = named(self.pool)
        runtime = OrtRuntime()
        self._told = {}
        for version, bias in BIASES.items():
            manifest, artifact = model(version, bias)
            outputs = runtime.load(artifact, manifest.signature).outputs(self.pool)
            self._told[version] = manifest.sha256, outputs.astype(np.float64)
        assert (
            min(
                np.abs(self._told[a][1] - self._told[b][1]).max(axis=1).min()
                for a, b in ((1, 2), (1, 3), (2, 3))
            )
            > 1e-3
        )

    def judge(self, seen: Seen, places: range, answers: list[dict[str, Any]]) -> None:
        """Hold the answers of one call against the versions that they name."""
        seen.calls += 1
        seen.rows += len(answers)
        if len(answers) != len(places) or len({answer["version"] for answer in answers}) != 1:
            seen.mixed.append(f"{len(places)} rows: {answers}")
            return
        sha256, outputs = self._told[answers[0]["version"]]
        for place, answer in zip(places, answers, strict=True):
            told = outputs[place]
            probabilities = answer["probabilities"]
            if isinstance(probabilities, dict):
                probabilities = list(probabilities.values())
            if (
                answer["artifact"] != sha256
                or np.abs(told - probabilities).max() > TOLERANCE
                or abs(answer["score"] - told[1]) > TOLERANCE
                or answer["label"] != int(answer["score"] >= 0.5)
            ):
                seen.mixed.append(f"{answer}, not {told.tolist()}")
            seen.numbers.append(int(answer["prediction_id"].rsplit(".", 1)[1]))
        seen.versions[answers[0]["version"]] += len(answers)


Ask = Callable[[range], list[dict[str, Any]]]
"""Asks about the rows of these places of the pool."""


def hot_swap(served: Predictor, go_on: Callable[[int], bool], pause_s: float = 0.0) -> Seen:
    """Change models under callers with one row, some rows, names, and over HTTP.

    Args:
        served: Who answers; nothing is loaded yet.
        go_on: Whether to change once more, after so many changes.
        pause_s: Between two changes.
    """
    golden, done = Golden(), threading.Event()
    served.load(*model(1, BIASES[1]))
    api = local_api(served)
    api.start()
    try:
        with _over_http(api.address, golden) as over_http, ThreadPoolExecutor(4) as pool:
            callers = [
                pool.submit(_call, _as_array(served, golden), 1, golden, done),
                pool.submit(_call, _as_array(served, golden), MOST_ROWS, golden, done),
                pool.submit(_call, _by_name(served, golden), MOST_ROWS, golden, done),
                pool.submit(_call, over_http, MOST_ROWS, golden, done),
            ]
            try:
                _change(served, go_on, pause_s)
            finally:
                done.set()
            return sum((caller.result() for caller in callers), Seen())
    finally:
        api.stop()


def _change(served: Predictor, go_on: Callable[[int], bool], pause_s: float) -> None:
    for changes in count():
        if not go_on(changes):
            return
        version = 1 + (changes + 1) % len(BIASES)
        served.load(*model(version, BIASES[version]))
        while not served.health().rows:
            time.sleep(0.0005)
        time.sleep(pause_s)
        if changes % COLLECT_EACH == 0:
            served.collect()


def _call(ask: Ask, most_rows: int, golden: Golden, done: threading.Event) -> Seen:
    random, seen = np.random.default_rng(most_rows), Seen()
    while not done.is_set():
        first = int(random.integers(0, POOL - MOST_ROWS))
        places = range(first, first + int(random.integers(1, most_rows + 1)))
        try:
            answers = ask(places)
        except Exception as error:  # noqa: BLE001  # that no call fails is what is shown
            seen.failed.append(f"{type(error).__name__}: {error}")
        else:
            golden.judge(seen, places, answers)
    return seen


def _as_array(served: Predictor, golden: Golden) -> Ask:
    def as_array(places: range) -> list[dict[str, Any]]:
        return _plain(served.predict(golden.pool[places[0] : places[-1] + 1]))

    return as_array


def _by_name(served: Predictor, golden: Golden) -> Ask:
    def by_name(places: range) -> list[dict[str, Any]]:
        return _plain(served.predict([golden.named[place] for place in places]))

    return by_name


@contextmanager
def _over_http(address: str, golden: Golden) -> Iterator[Ask]:
    with RawClient(address) as client:

        def over_http(places: range) -> list[dict[str, Any]]:
            body = json.dumps({"rows": [golden.named[place] for place in places]})
            reply = client.ask("POST", "/predict", body.encode())
            if reply.status != 200:
                raise OSError(f"{reply.status} {reply.body!r}")
            answers: list[dict[str, Any]] = reply.json()["answers"]
            return answers

        yield over_http


def _plain(answers: list[Any]) -> list[dict[str, Any]]:
    return [
        {name: getattr(answer, name) for name in answer.__struct_fields__} for answer in answers
    ]
