"""Counting what was refused, under an attacker who has all the time in the world."""

import pytest

from fleetloop_agent.update.events import Events
from fleetloop_agent.update.refusals import (
    REMEMBERED,
    REPORTS_PER_HOUR,
    TEXT_LENGTH,
    Refusals,
)
from fleetloop_shared.errors import DiskFullError, ForeignError, RollbackError, SignatureError
from fleetloop_shared.reports import EventKind
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


def test_a_flood_of_one_kind_does_not_keep_another_from_being_reported(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    for number in range(1_000):
        refusals.note(SignatureError("forged"), str(number), 0.0)
    refusals.note(RollbackError("replayed"), "hash", 0.0)
    assert outbox.events()[-1].reason == "rollback"


def test_a_report_says_what_was_tried_where_and_with_what(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    refusals.note(RollbackError("1 is older than 2"), "ab" * 32, 0.0, "cohorts/hills/director")
    [event] = outbox.events()
    assert event.kind is EventKind.REFUSED
    assert (event.reason, event.topic) == ("rollback", "cohorts/hills/director")
    assert event.content == "ab" * 32


def test_what_an_attacker_wrote_is_cut_and_moves_no_cursor(
    refusals: Refusals, outbox: MemoryOutbox
) -> None:
    refusals.note(ForeignError("\x1b[2J\n" + "x" * 9_000), "hash", 0.0, "a/\x1b/" + "b" * 9_000)
    [event] = outbox.events()
    assert event.text.startswith("refused (foreign): ?[2J?xxx")
    assert len(event.text) == TEXT_LENGTH
    assert event.topic is not None
    assert event.topic.startswith("a/?/bbb")
    assert len(event.topic) == 200


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
