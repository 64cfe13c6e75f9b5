"""Power fails at every moment of a good and a bad update, and the disk fills up at every act."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.trial import ATTEMPTS, Trial
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios.power_cut import (
    Effort,
    Outcome,
    count_moments,
    cut_at,
    fill_everywhere,
)
from fleetloop_firmware_sim.scenarios.update_story import NEW, MakeFlash, Story, Update
from fleetloop_shared.reports import EventKind

SECOND_CUTS_EVERY = 4


def outcomes(story: Story) -> Iterator[Outcome]:
    """Every moment, three states each; at some moments, a second cut in the recovery as well."""
    for moment in range(count_moments(story), 0, -1):
        yield cut_at(story, moment, Effort(states=3, again=moment % SECOND_CUTS_EVERY == 0))


@pytest.mark.parametrize("update", Update)
def test_an_update_survives_a_cut_at_every_moment(update: Update, tmp_path: Path) -> None:
    found = list(outcomes(Story(update, tmp_path)))
    assert [outcome for outcome in found if outcome.broken] == []
    assert len(found) > 50
    assert sum(outcome.lives for outcome in found) > len(found)


@pytest.mark.parametrize("update", Update)
def test_an_update_survives_a_disk_that_is_full_at_any_act(update: Update, tmp_path: Path) -> None:
    found = list(fill_everywhere(Story(update, tmp_path)))
    assert [outcome for outcome in found if outcome.broken] == []
    assert len(found) > 20


class NeverSyncsFiles(Flash):
    """The protocol without fsync of the file: rename over bytes that are not durable."""

    def sync(self, path: Path) -> None:
        self.moments.tick(f"no sync {path}")


class NeverSyncsFolders(Flash):
    """The protocol without fsync of the folder: names that are not durable."""

    def sync_folder(self, path: Path) -> None:
        self.moments.tick(f"no sync of folder {path}")


@pytest.mark.parametrize("wrong", [NeverSyncsFiles, NeverSyncsFolders])
def test_a_protocol_that_does_not_sync_is_found_out(wrong: MakeFlash, tmp_path: Path) -> None:
    assert any(outcome.broken for outcome in outcomes(Story(Update.GOOD, tmp_path, wrong)))


def test_saying_committed_before_it_is_durable_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Transaction.move

    def say_first(self: Transaction, event: object, **changes: object) -> None:
        if event == "healthy" and self.incoming.version == NEW:
            self.events.say(EventKind.COMMITTED, "committed, perhaps", version=NEW)
        move(self, event, **changes)  # type: ignore[arg-type]  # an Event, as in the original

    monkeypatch.setattr(Transaction, "move", say_first)
    assert any(outcome.broken for outcome in outcomes(Story(Update.GOOD, tmp_path)))


def boots_until_given_up(story: Story, most: int) -> int:
    """How often a model that ends the device whenever it is loaded is tried."""
    world = story.beginning
    new = story.artifact_of(NEW)[:12]
    image = story.image
    for boot in range(1, most + 1):
        moments = CutsAtLoad(new)
        board = story.power_on(world, moments, image)
        try:
            board.start()
            for _ in range(30):
                board.step()
                world.hub.step()
                world.clock.step(1.0)
        except PowerCut:
            image = board.cut().some(1, seed=boot)[0]
            world = world.fork(story.folder / f"boot{boot}.sqlite")
        else:
            board.cut()
            assert world.hub.told(EventKind.ROLLED_BACK, NEW)
            return boot
    return most


class CutsAtLoad(Moments):
    """Power fails whenever one artifact is loaded: as if it crashed the device."""

    def __init__(self, artifact: str) -> None:
        super().__init__()
        self._artifact = artifact

    def tick(self, what: str) -> None:
        if what == f"loaded {self._artifact}":
            self.cut()
        super().tick(what)


def test_a_model_that_ends_the_device_at_every_load_is_given_up(tmp_path: Path) -> None:
    assert boots_until_given_up(Story(Update.GOOD, tmp_path), 10) == ATTEMPTS + 1


def test_counting_attempts_after_the_load_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Trial.attempt

    def load_first(self: Trial, now: float) -> float:
        tx = self._tx
        if tx.journal.attempts_left > 0:
            tx.serving.load(*tx.slots.load(tx.incoming))
        return attempt(self, now)

    monkeypatch.setattr(Trial, "attempt", load_first)
    assert boots_until_given_up(Story(Update.GOOD, tmp_path), 10) == 10
