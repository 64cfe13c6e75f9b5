"""Drift is visible at the device: one warning an episode, and what it is in the status."""

import logging
from dataclasses import replace

import msgspec
import pytest

from fleetloop_agent.device.words import fields_in_words
from fleetloop_agent.serving.episodes import Episodes
from fleetloop_agent.serving.records import Window
from support.serving_rig import WINDOW_ROWS, named, predictor, rows


@pytest.fixture
def windows() -> dict[str, Window]:
    """Windows of the same model: calm, and of each kind of drift."""
    served = predictor()
    found = {}
    given = rows(3 * WINDOW_ROWS, seed=3)
    given[WINDOW_ROWS:, 0] += 30
    for kind, some in (("calm", given[:WINDOW_ROWS]), ("far", given[WINDOW_ROWS:])):
        served.predict(named(some))
        found[kind] = served.collect().windows[-1]
    assert [w.judged.alarm for w in found.values()] == [False, True]
    return found


def test_an_episode_is_one_warning_and_stands_in_the_status(
    windows: dict[str, Window], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calm, far, episodes = windows["calm"], windows["far"], Episodes()
    episodes.note([calm], 1.0)
    assert episodes.last is None
    episodes.note([far, far], 2.0)
    episodes.note([far], 3.0)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    moved = far.manifest.signature.features[0].name
    assert f"drift: {moved}: " in caplog.text
    last = episodes.last
    assert last is not None
    assert (last.alarm, last.feature, last.at, last.over_at) == (True, moved, 2.0, None)
    assert last.since_row == far.judged.since_row
    assert "higher" in last.size
    assert last.ratio == pytest.approx(far.judged.verdict.ratio, rel=0.01)
    said = list(fields_in_words({"drift": msgspec.to_builtins(last)}))
    assert said[0] == "drift:"
    assert any(line.split() == ["alarm", "yes"] for line in said)
    episodes.note([calm], 4.0)
    assert episodes.last is not None
    assert (episodes.last.alarm, episodes.last.over_at) == (False, 4.0)
    episodes.note([far], 5.0)
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO", "WARNING"]


def test_another_model_begins_without_an_episode(windows: dict[str, Window]) -> None:
    episodes = Episodes()
    episodes.note([windows["far"]], 1.0)
    calm = windows["calm"]
    other = msgspec.structs.replace(calm.manifest, sha256="0" * 64)
    episodes.note([replace(calm, manifest=other)], 2.0)
    assert episodes.last is None
