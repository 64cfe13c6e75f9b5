"""Gathers what a phase's devices and its control report, and has it weighed."""

from collections.abc import Collection

from fleetloop_hub.fleet_records import Device, Rollout
from fleetloop_hub.fresh import FreshReports
from fleetloop_hub.judgement_records import Judgement
from fleetloop_hub.judging.health import DeviceHealth
from fleetloop_hub.judging.phase_book import Phase, PhaseBook
from fleetloop_hub.judging.weigh import weigh
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_shared.reports import Report

_KINDS = ("health", "drift")
_HOUR_S = 3_600.0
_AHEAD_S = 60.0
_MOST_OF_A_DEVICE = 500
"""Reports of a kind that are read of each device when its phase is looked at first."""


class Judging:
    """Keeps up with the phases that are looked at; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Nothing is read before the first look."""
        self._catalog, self._telemetry = catalog, telemetry
        self._fresh = [FreshReports(telemetry, kind, 1) for kind in _KINDS]
        self._books: dict[str, PhaseBook] = {}
        self._judged: dict[str, tuple[object, Judgement]] = {}

    def look(
        self,
        rollout: Rollout,
        treated: Collection[str],
        control: Collection[str],
        table: JudgeTable,
        now: float,
    ) -> Judgement:
        """What the reports up to now say of a phase.

        Args:
            rollout: Which one, with the phase that is open.
            treated: Devices that have taken the version in this phase or an earlier one.
            control: Devices that keep the champion meanwhile.
            table: Limits and risks.
            now: Unix seconds; what was said for a later time is passed over.
        """
        read = [stored.report for fresh in self._fresh for stored in fresh.read()]
        new = [report for report in read if report.at <= now + _AHEAD_S]
        for book in self._books.values():
            book.take(new)
        book = self._book(rollout)
        self._follow(book, {*treated, *control}, table.history_h)
        asked = (book.counted, frozenset(treated), frozenset(control), table)
        known = self._judged.get(rollout.key)
        if known is not None and known[0] == asked:
            return known[1]
        hardware = {d.key: d.hardware for d in self._catalog.all(Device)}

        def side(devices: Collection[str], version: int | None) -> list[DeviceHealth]:
            return [
                DeviceHealth(
                    device=device,
                    hardware=hardware.get(device, ""),
                    now=book.now(device, version),
                    before=book.before(device),
                )
                for device in sorted(devices)
            ]

        judgement = weigh(side(treated, rollout.version), side(control, rollout.control), table)
        self._judged[rollout.key] = asked, judgement
        return judgement

    def forget(self, rollout: str) -> None:
        """A rollout has ended: nothing more is counted for it."""
        self._books.pop(rollout, None)
        self._judged.pop(rollout, None)

    def _book(self, rollout: Rollout) -> PhaseBook:
        phase = Phase(rollout.model, rollout.version, rollout.control, rollout.phase_since)
        book = self._books.get(rollout.key)
        if book is None or book.phase != phase:
            book = self._books[rollout.key] = PhaseBook(phase)
            self._judged.pop(rollout.key, None)
        return book

    def _follow(self, book: PhaseBook, devices: set[str], history_h: float) -> None:
        """Read the past of devices that the book does not follow yet."""
        new = devices - book.devices
        book.devices |= devices
        since = book.phase.since - history_h * _HOUR_S
        past: list[Report] = [
            stored.report
            for device in sorted(new)
            for kind in _KINDS
            for stored in self._telemetry.reports(
                kind, device=device, since=since, limit=_MOST_OF_A_DEVICE
            )
        ]
        book.take(past)
