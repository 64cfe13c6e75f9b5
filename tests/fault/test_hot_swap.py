"""Models change while threads predict: no answer is lost, mixed or counted twice."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Answer, Answered, Window
from fleetloop_shared.manifest import Manifest
from support.agent_board import StandingClock
from support.hot_swap import hot_swap
from support.sampled import sample_all
from support.serving_rig import DEVICE, WINDOW_ROWS, model, predictor, rows

CALLERS = 4
SWAPS = 12
VERSIONS = 3
BIASES = [0.0, 40.0, -40.0]

CHANGES = 8

Calls = list[list[Answer]]


@dataclass(frozen=True)
class Story:
    """What callers were answered and what was collected while models changed all the time."""

    calls: list[Calls]
    windows: list[Window]
    samples: int
    rows: int
    dropped: int


def caller(made: Predictor, done: threading.Event, seed: int) -> Calls:
    random, calls = np.random.default_rng(seed), []
    while not done.wait(0.001):
        calls.append(made.predict(rows(int(random.integers(1, 9)), seed=seed)))
    return calls


@pytest.fixture(scope="module")
def story() -> Story:
    made, done = predictor(loaded=False), threading.Event()
    made.load(*model(1, BIASES[0]))
    sample_all(made)
    windows: list[Window] = []
    samples = counted = dropped = 0

    def collect() -> None:
        nonlocal samples, counted, dropped
        collected = made.collect()
        windows.extend(collected.windows)
        samples += len(collected.samples)
        dropped += collected.counters.dropped
        counted += collected.counters.rows

    with ThreadPoolExecutor(CALLERS) as pool:
        futures = [pool.submit(caller, made, done, seed) for seed in range(CALLERS)]
        try:
            swap_often(made, collect)
        finally:
            done.set()
        calls = [future.result() for future in futures]
    collect()
    return Story(calls, windows, samples, counted, dropped)


def swap_often(made: Predictor, collect: Callable[[], None]) -> None:
    for swap in range(SWAPS):
        version = 1 + (swap + 1) % VERSIONS
        made.load(*model(version, BIASES[version - 1]))
        while made.health().rows < WINDOW_ROWS:
            time.sleep(0.001)
        collect()


def test_prediction_ids_are_given_once_and_without_gaps(
    story: Story,
) -> None:
    numbers = [
        int(a.prediction_id.rsplit(".", 1)[1])
        for of in story.calls
        for answers in of
        for a in answers
    ]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert story.rows == len(numbers)
    assert story.dropped or story.samples == len(numbers)


def test_no_window_mixes_two_models(story: Story) -> None:
    profiles = [(w.manifest, w.judged.profile) for w in story.windows if w.judged.profile]
    assert len(profiles) >= SWAPS // 2
    for manifest, profile in profiles:
        assert profile.rows == WINDOW_ROWS
        scores = profile.score_counts
        expected = {2: scores[-1], 3: scores[0]}.get(manifest.version, WINDOW_ROWS)
        assert expected == WINDOW_ROWS


def test_every_answer_is_of_one_model_whoever_asks() -> None:
    seen = hot_swap(predictor(loaded=False), lambda changes: changes < CHANGES)
    assert (seen.failed, seen.mixed) == ([], [])
    assert all(seen.versions[version] for version in (1, 2, 3))
    assert sorted(seen.numbers) == list(range(1, seen.rows + 1))


class Mixing(Predictor):
    """Says who serves now, not who answered."""

    def answer(
        self, rows: Given, *, by: Manifest | None = None, key: str | None = None
    ) -> Answered:
        answered = super().answer(rows, by=by, key=key)
        time.sleep(0.001)
        return msgspec.structs.replace(answered, manifest=self.manifest)


class Losing(Predictor):
    """Serves nothing for a moment while models change."""

    def load(self, manifest: Manifest, artifact: bytes) -> None:
        self.unload()
        time.sleep(0.005)
        super().load(manifest, artifact)


@pytest.mark.parametrize(("wrong", "told"), [(Mixing, "mixed"), (Losing, "failed")])
def test_a_change_that_mixes_or_loses_answers_is_seen(wrong: type[Predictor], told: str) -> None:
    made = wrong(DEVICE, 3, OrtRuntime(), StandingClock())
    assert getattr(hot_swap(made, lambda changes: changes < CHANGES), told)
