"""Counting what was refused, under an attacker who has all the time in the world."""

import pytest

from fleetloop_agent.update.events import Events
from fleetloop_agent.update.refusals import REMEMBERED, REPORTS_PER_HOUR, Refusals
from fleetloop_shared.errors import DiskFullError, RollbackError, SignatureError
from support.agent_board import MemoryOutbox, StandingClock


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def refusals(outbox: MemoryOutbox) -> Refusals:
    return Refusals({"rollback": 2}, Events("station-1", StandingClock(), outbox))


def test_a_replay_is_counted_each_time_and_reported_once(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    for _ in range(3):
        refusals.note(RollbackError("statement 1 is older than 2"), "hash", 0.0)
    assert refusals.counts == {"rollback": 5}
    assert [event.text for event in outbox.events()] == [
        "refused (rollback): statement 1 is older than 2"
    ]


def test_another_message_or_another_reason_is_another_report(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    refusals.note(RollbackError("a"), "one", 0.0)
    refusals.note(RollbackError("b"), "two", 0.0)
    refusals.note(SignatureError("c"), "one", 0.0)
    assert len(outbox.events()) == 3


def test_a_flood_of_different_messages_does_not_fill_the_outbox(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    for number in range(10_000):
        refusals.note(SignatureError("forged"), str(number), 0.0)
    assert refusals.counts["arbitrary-software"] == 10_000
    assert len(outbox.events()) == REPORTS_PER_HOUR
    assert len(refusals._seen) == REMEMBERED
    refusals.note(SignatureError("forged"), "an hour later", 3600.0)
    assert len(outbox.events()) == REPORTS_PER_HOUR + 1


def test_what_found_no_room_is_reported_when_it_comes_again(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    def no_room() -> None:
        raise DiskFullError("full")

    outbox.before_append = no_room
    refusals.note(SignatureError("forged"), "hash", 0.0)
    assert refusals.counts["arbitrary-software"] == 1
    outbox.before_append = lambda: None
    refusals.note(SignatureError("forged"), "hash", 1.0)
    assert len(outbox.events()) == 1
