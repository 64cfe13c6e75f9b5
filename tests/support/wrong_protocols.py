"""Wrong ways to keep what must survive: each is really run, and power-cut stories must find it out.

A protocol is put in the place of the right one for as long as its context lasts.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.errors import SlotError
from fleetloop_agent.trust.trust import DIRECTOR, IMAGE, Trust
from fleetloop_agent.update.slots import Slots
from fleetloop_agent.update.states import Event, State
from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.trial import Trial
from fleetloop_agent.update.updater import Updater
from fleetloop_shared import durable
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import EventKind

Wrong = Callable[[], contextlib.AbstractContextManager[object]]


def _write_in_place() -> contextlib.AbstractContextManager[object]:
    """No second file: the content is written over the old one, and synced."""

    def replace(disk: Disk, path: Path, data: bytes) -> None:
        disk.write(path, data)
        disk.sync(path)
        disk.sync_folder(path.parent)

    return patch.object(durable, "replace", replace)


def rename_without_fsync() -> contextlib.AbstractContextManager[object]:
    """The name is given to bytes that are not durable."""

    def replace(disk: Disk, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        disk.write(part, data)
        disk.rename(part, path)
        disk.sync_folder(path.parent)

    return patch.object(durable, "replace", replace)


def no_folder_fsync() -> contextlib.AbstractContextManager[object]:
    """The bytes are durable, their name is not."""

    def replace(disk: Disk, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        disk.write(part, data)
        disk.sync(part)
        disk.rename(part, path)

    return patch.object(durable, "replace", replace)


def told_before_durable() -> contextlib.AbstractContextManager[object]:
    """The hub is told of the commit before the journal has it."""
    move = Transaction.move

    def say_first(self: Transaction, event: Event, **changes: object) -> None:
        if event is Event.HEALTHY:
            self.say(EventKind.COMMITTED, "committed, perhaps")
        move(self, event, **changes)

    return patch.object(Transaction, "move", say_first)


def collected_before_durable() -> contextlib.AbstractContextManager[object]:
    """What the new model makes superfluous is taken away before the journal has the new model."""
    move = Transaction.move

    def collect_first(self: Transaction, event: Event, **changes: object) -> None:
        if event is Event.HEALTHY:
            after = [self.incoming, self.journal.active, self.journal.factory]
            self.slots.collect([slot for slot in after if slot is not None])
        move(self, event, **changes)

    return patch.object(Transaction, "move", collect_first)


def digests_not_checked() -> contextlib.AbstractContextManager[object]:
    """What lies under a hash is taken for what it names."""

    def read(self: Slots, path: Path, sha256: str) -> bytes:
        try:
            return self._disk.read(path)
        except FileNotFoundError as error:
            raise SlotError(f"{path} is not on this disk") from error

    return patch.object(Slots, "_read", read)


def attempts_counted_after_load() -> contextlib.AbstractContextManager[object]:
    """A trial's attempt is counted when the model has been loaded, not before."""
    attempt = Trial.attempt

    def load_first(self: Trial, now: float) -> float:
        tx = self._tx
        if tx.journal.attempts_left > 0:
            tx.serving.load(*tx.slots.load(tx.incoming))
        return attempt(self, now)

    return patch.object(Trial, "attempt", load_first)


def two_write_activation() -> contextlib.AbstractContextManager[object]:
    """The active model changes in one write of the journal, all else in the next."""
    move = Transaction.move

    def twice(self: Transaction, event: Event, **changes: Any) -> None:  # noqa: ANN401  # as it is called
        if event is Event.HEALTHY:
            previous = self.journal.active
            self.note(active=self.incoming)
            changes["previous"] = previous if previous != self.incoming else self.journal.previous
            if previous == self.incoming:
                changes["previous"] = self.journal.active
        move(self, event, **changes)

    return patch.object(Transaction, "move", twice)


def power_cut_swallowed() -> contextlib.AbstractContextManager[object]:
    """A broad `except` around the step carries on when the power is gone."""
    step = Updater.step

    def go_on(self: Updater, now: float) -> float:
        try:
            return step(self, now)
        except BaseException:  # noqa: BLE001  # this is what is wrong here
            return now

    return patch.object(Updater, "step", go_on)


def full_disk_swallowed() -> contextlib.AbstractContextManager[object]:
    """That there was no room for the journal is taken for success."""
    save = sealed.save

    def hope(disk: Disk, folder: Path, record: Any) -> Any:  # noqa: ANN401  # any sealed record
        try:
            return save(disk, folder, record)
        except DiskFullError:
            return record

    return patch.object(sealed, "save", hope)


def write_in_place() -> contextlib.AbstractContextManager[object]:
    """A sealed record in one file, written over."""
    stack = contextlib.ExitStack()
    stack.enter_context(_write_in_place())

    def copies(folder: Path) -> tuple[Path, Path]:
        return folder / "0.json", folder / "0.json"

    stack.enter_context(patch.object(sealed, "copies", copies))
    return stack


def beliefs_kept_late() -> contextlib.AbstractContextManager[object]:
    """What was signed is believed and told, and kept one step later."""

    def keep(self: Trust) -> None:
        for folder, belief in self.__dict__.pop("late", []):
            sealed.save(self._disk, folder, belief)
        for name, folder in (("image", IMAGE), ("director", DIRECTOR)):
            belief = getattr(self, f"_{name}")
            if belief is not getattr(self, f"_kept_{name}"):
                self.__dict__.setdefault("late", []).append((folder, belief))
                told = msgspec.structs.replace(belief, generation=belief.generation + 1)
                setattr(self, f"_{name}", told)
                setattr(self, f"_kept_{name}", told)

    return patch.object(Trust, "keep", keep)


def trial_not_armed() -> contextlib.AbstractContextManager[object]:
    """The model serves before the journal says that it is on trial."""
    move = Transaction.move

    def serve_first(self: Transaction, event: Event, **changes: object) -> None:
        if event is Event.ARMED and self.journal.state is State.STAGED:
            self.serving.load(*self.slots.load(self.incoming))
        move(self, event, **changes)

    return patch.object(Transaction, "move", serve_first)


WRONG: dict[str, Wrong] = {
    "write in place": write_in_place,
    "rename without fsync": rename_without_fsync,
    "no folder fsync": no_folder_fsync,
    "told before it is durable": told_before_durable,
    "collected before the switch is durable": collected_before_durable,
    "digests not checked": digests_not_checked,
    "attempts counted after the load": attempts_counted_after_load,
    "trial not armed before it serves": trial_not_armed,
    "two-write activation": two_write_activation,
    "beliefs kept after they are told": beliefs_kept_late,
    "power cut swallowed": power_cut_swallowed,
    "full disk swallowed": full_disk_swallowed,
}


CAUGHT_BY: dict[str, tuple[str, str]] = {
    "write in place": ("install", "power cut"),
    "rename without fsync": ("install", "power cut"),
    "no folder fsync": ("install", "power cut"),
    "told before it is durable": ("install", "power cut"),
    "collected before the switch is durable": ("install", "power cut"),
    "digests not checked": ("install", "bit rot"),
    "attempts counted after the load": ("model that ends the device", "power cut"),
    "trial not armed before it serves": ("model that ends the device", "power cut"),
    "two-write activation": ("install", "power cut"),
    "beliefs kept after they are told": ("trust refresh", "power cut"),
    "power cut swallowed": ("install", "power cut"),
    "full disk swallowed": ("install", "full disk"),
}
"""The story and the trouble that find each out."""
