"""What the hub's stages need to know of what reports add up to, as promises."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeVar

from fleetloop_hub.digest_records import (
    LabelCounts,
    ServedRows,
    StoredPayload,
    WindowBrief,
    WindowCounts,
)
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.groups import GroupCounts
from fleetloop_shared.reports import Report

T = TypeVar("T", bound=Report)


class Digests(ABC):
    """What telemetry adds up to, one device at a time; as durable as the reports it is made of.

    Whoever keeps up with a large fleet asks which devices have said something, and then for these:
    a look costs what is new. Safe to be called from many threads.
    """

    @abstractmethod
    def changed(self, after: int) -> tuple[set[str], int]:
        """Devices of which anything was taken in since, and a number to ask with the next time.

        Args:
            after: What an earlier call has given; 0 for every device that was ever heard of.
        """

    @abstractmethod
    def pulse(self, device: str) -> DevicePulse | None:
        """What a device's retained messages say, None before the first."""

    @abstractmethod
    def windows(
        self, device: str, *, after: tuple[int, int] = (0, 0), limit: int = 100
    ) -> list[WindowBrief]:
        """The newest `limit` verdicts of a device, oldest first: by (boot, seq).

        Args:
            device: Whose.
            after: Only those that come after this (boot, seq).
            limit: How many at most.
        """

    @abstractmethod
    def window_counts(self) -> WindowCounts:
        """All verdicts of all devices, counted."""

    @abstractmethod
    def latest(self, device: str, type_: type[T]) -> T | None:
        """A device's last report of a type, by (boot, seq); None before the first."""

    @abstractmethod
    def profiles(self, device: str, limit: int) -> list[StoredPayload]:
        """The newest profiles of a device as they came, oldest first: by (stored time, boot, seq).

        Args:
            device: Whose.
            limit: How many at most.
        """

    @abstractmethod
    def report(self, device: str, boot: int, seq: int) -> Report | None:
        """One report, None if it is not kept."""

    @abstractmethod
    def served(self, device: str) -> list[ServedRows]:
        """What a device's health reports add up to, a version at a time."""

    @abstractmethod
    def labelled(self) -> Mapping[tuple[str, int], LabelCounts]:
        """What labels say of every version that has any; the same object until one has come."""

    @abstractmethod
    def groups(self, model: str, version: int) -> tuple[list[GroupCounts], int]:
        """How groups of people were answered by a version on all devices, and on how many."""

    @abstractmethod
    def grouped(self) -> list[tuple[str, int]]:
        """Each model and version of which any device has counted groups."""
