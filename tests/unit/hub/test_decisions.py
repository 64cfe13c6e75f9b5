"""The decision log says each thing once, whatever is restarted, and tells what followed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.decisions import Decisions
from support.hubparts import Parts, parts


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def odd(*devices: str) -> Advice:
    reasons = ["look at its sensors"]
    return Advice(Finding.ODD_ONE, Verdict.INVESTIGATE, "drift", reasons, [*devices], {})


def test_the_same_advice_is_noted_once_also_by_a_hub_that_was_killed_between(kept: Parts) -> None:
    Decisions(kept.catalog).note("rain", 1, odd("roof"), 10.0)
    Decisions(kept.catalog).note("rain", 1, odd("roof"), 11.0)
    assert [d.at for d in kept.catalog.all(Decision)] == [10.0]


def test_another_device_or_champion_is_another_decision(kept: Parts) -> None:
    log = Decisions(kept.catalog)
    for champion, device in [(1, "roof"), (1, "cellar"), (2, "cellar")]:
        log.note("rain", champion, odd(device), 10.0)
    found = [(d.champion, d.devices) for d in kept.catalog.all(Decision)]
    assert found == [(1, ["roof"]), (1, ["cellar"]), (2, ["cellar"])]


def test_what_followed_is_kept_in_order_and_a_repetition_adds_nothing(kept: Parts) -> None:
    log = Decisions(kept.catalog)
    decision = log.record("rain", odd("roof"), 1.0, champion=3, by="ada")
    log.follow(decision.key, "run-1 began", 2.0)
    log.follow(decision.key, "run-1 began", 3.0)
    log.close(decision.key, "version 4 is ready", 4.0, 4)
    log.close(decision.key, "version 4 is ready", 5.0)
    told = kept.catalog.find(Decision, decision.key)
    assert told is not None
    assert [(n.at, n.text) for n in told.followed] == [
        (2.0, "run-1 began"),
        (4.0, "version 4 is ready"),
    ]
    assert (told.outcome, told.version) == ("version 4 is ready", 4)
    assert (told.champion, told.asked_by) == (3, "ada")


def test_a_decision_that_is_not_there_cannot_be_closed(kept: Parts) -> None:
    with pytest.raises(LookupError):
        Decisions(kept.catalog).close("rain-0009", "?", 1.0)
