"""Agents that break one rule each: what the stories must find out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetloop_agent.agent import Agent
from fleetloop_agent.trust.trust import Trust
from fleetloop_agent.update import trial, verify
from fleetloop_agent.update.transaction import Transaction
from fleetloop_shared import durable
from fleetloop_shared.durable import Disk
from fleetloop_shared.messages import DesiredState, Release
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def renames_unsynced(patch: Patch) -> None:
    """A rename over bytes that are not durable, to a name that is not."""

    def replace(disk: Disk, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        disk.write(part, data)
        disk.rename(part, path)

    patch.setattr(durable, "replace", replace)


def never_counts_attempts(patch: Patch) -> None:
    """A trial that ends the agent is begun anew at every start."""
    note = Transaction.note

    def forget(self: Transaction, **changes: object) -> None:
        if changes.get("attempts_left") not in {None, 0}:
            changes["attempts_left"] = trial.ATTEMPTS
        note(self, **changes)

    patch.setattr(Transaction, "note", forget)


def forgets_reports_when_sent(patch: Patch) -> None:
    """A report that was handed to the link counts as delivered."""
    publish = Agent._publish

    def sent(self: Agent, topic: Topic, payload: bytes) -> bool:
        done = publish(self, topic, payload)
        if done and topic.row.outbox:
            for pending in self._board.outbox.pending(1_000):
                if pending.payload == payload:
                    self._board.outbox.acknowledge(pending.boot, [pending.seq])
        return done

    patch.setattr(Agent, "_publish", sent)


def follows_replays(patch: Patch) -> None:
    """An older statement is as good as the newest."""

    def nothing(*_: object) -> None:
        """No check."""

    def forget(self: Trust, payload: bytes, check: Callable[[DesiredState, bool], None]) -> object:
        self._director = type(self._director)()
        return take(self, payload, check)

    take = Trust.take_director
    patch.setattr(Trust, "take_director", forget)
    patch.setattr(verify, "statement", nothing)


def ignores_its_phase(patch: Patch) -> None:
    """Every device takes the release at once."""

    def all_of_them(_: Transaction, desired: DesiredState) -> Release | None:
        return desired.release

    patch.setattr(Transaction, "wanted", all_of_them)


def says_committed_first(patch: Patch) -> None:
    """The hub is told before the commit is durable."""
    move = Transaction.move

    def say_first(self: Transaction, event: object, **changes: object) -> None:
        if event == "healthy":
            self.say(EventKind.COMMITTED, "committed, perhaps")
        move(self, event, **changes)  # type: ignore[arg-type]  # an Event, as in the original

    patch.setattr(Transaction, "move", say_first)


def forgets_the_statement_at_a_reconnect(patch: Patch) -> None:
    """It subscribes to what it is told once, and not again after a new connection."""
    greet = Agent._greet

    def once(self: Agent) -> None:
        if self._conn == 1:
            greet(self)

    patch.setattr(Agent, "_greet", once)


SEEDS: dict[Mutant, range] = {
    renames_unsynced: range(24),
    never_counts_attempts: range(14, 38),
    forgets_reports_when_sent: range(24),
    follows_replays: range(6, 30),
    ignores_its_phase: range(24),
    forgets_the_statement_at_a_reconnect: range(24),
}
"""Each, and two dozen seeds of which some find it out."""
