"""What must be true of a device at every moment, whatever happens around it.

The promises are those of the update transaction: always a verified model or none; what the hub was
told stays true; what must not go back does not; trials are bounded; a phase holds whom it may hold.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fleetloop_agent.sealed import copies
from fleetloop_agent.trust.trust import DIRECTOR, IMAGE
from fleetloop_agent.update.journal import FOLDER
from fleetloop_agent.update.states import State
from fleetloop_agent.update.trial import ATTEMPTS
from fleetloop_firmware_sim.board import SimBoard
from fleetloop_firmware_sim.enrolment import HARDWARE
from fleetloop_shared.membership import assigned
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.reports import EventKind, EventReport, Report

FLOOR, STATEMENT = "security floor", "statement"
IMAGE_VERSION, DIRECTOR_VERSION, TIME_FLOOR = "image version", "director version", "time floor"

_KEPT_TWICE = {
    FOLDER: {FLOOR, STATEMENT},
    IMAGE: {IMAGE_VERSION, TIME_FLOOR},
    DIRECTOR: {DIRECTOR_VERSION, TIME_FLOOR},
}
"""What each record on the disk keeps from going back, in two copies."""


class BrokenPromiseError(Exception):
    """Somebody has done what must never happen; the text says who and what."""


@dataclass
class Ledger:
    """What the hub has signed and heard so far, seen from outside.

    Attributes:
        listed: SHA-256 of every artifact that the image repository lists.
        deadly: Those of them that end whoever serves them.
        statements: Every desired state that was signed, by cohort and sequence.
        committed: The version that each device has told the hub last that it has committed, with
            the (boot, seq) of the report.
    """

    listed: set[str] = field(default_factory=set)
    deadly: set[str] = field(default_factory=set)
    statements: dict[tuple[str, int], DesiredState] = field(default_factory=dict)
    committed: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def sign(self, desired: DesiredState) -> None:
        """The hub says this to its devices.

        Raises:
            BrokenPromiseError: It has said something else under the same number.
        """
        key = desired.cohort, desired.sequence
        if self.statements.setdefault(key, desired) != desired:
            raise BrokenPromiseError(f"the hub has signed two statements {key}")

    def hear(self, report: Report) -> None:
        """The hub has a report on its disk."""
        if isinstance(report, EventReport) and report.kind is EventKind.COMMITTED:
            told = (report.boot, report.seq, report.version or 0)
            self.committed[report.device] = max(told, self.committed.get(report.device, told))


class Watch:
    """Watches one device over all its boots."""

    def __init__(self, device: str, cohort: str, ledger: Ledger) -> None:
        """Nothing was seen yet.

        Args:
            device: Its name.
            cohort: Its cohort.
            ledger: What the hub has signed and heard.
        """
        self.damages = 0
        self._device, self._cohort, self._ledger = device, cohort, ledger
        self._marks: dict[str, float] = {}
        self._damaged: set[Path] = set()
        self._forgiven: set[str] = set()
        self._target: tuple[str, int] | None = None
        self._loads: Counter[str] = Counter()
        self._seen_loads = 0

    def booted(self) -> None:
        """The device starts anew."""
        self._seen_loads = 0

    def damaged(self, path: Path) -> None:
        """Its disk has changed a file by itself, or does not give it back.

        It may lose a model that way; what must not go back only if both copies are damaged.
        """
        self.damages += 1
        self._damaged.add(path)
        for folder, names in _KEPT_TWICE.items():
            if self._damaged.issuperset(copies(folder)):
                self._forgiven |= names

    def check(self, board: SimBoard) -> None:
        """See that every promise holds now.

        Raises:
            BrokenPromiseError: One does not.
        """
        self.note_loads(board)
        self._check_served(board)
        self._check_marks(board)
        self._check_committed(board)
        self._check_phase(board)

    def note_loads(self, board: SimBoard) -> None:
        """See what it has loaded since the last look, also where that has ended it.

        Raises:
            BrokenPromiseError: Bytes that nobody lists, or what ends it too often.
        """
        for sha256 in board.runtime.loaded[self._seen_loads :]:
            self._loads[sha256] += 1
            if sha256 not in self._ledger.listed:
                self._broken(f"has loaded {sha256[:12]}, which no image repository lists")
            limit = ATTEMPTS * (1 + self.damages)
            if sha256 in self._ledger.deadly and self._loads[sha256] > limit:
                self._broken(f"has tried {sha256[:12]}, which ends it, {limit + 1} times")
        self._seen_loads = len(board.runtime.loaded)

    def _check_served(self, board: SimBoard) -> None:
        manifest, reported = board.agent.predictor.manifest, board.agent.reported()
        serves = None if manifest is None else manifest.sha256
        if reported.artifact != serves:
            self._broken(f"says that {reported.artifact} is loaded, and {serves} is")
        if serves is not None and serves not in board.runtime.loaded:
            self._broken(f"serves {serves[:12]} and has not loaded it")

    def _check_marks(self, board: SimBoard) -> None:
        reported = board.agent.reported()
        marks = {
            FLOOR: board.agent.updater.journal.floor,
            STATEMENT: reported.sequence,
            IMAGE_VERSION: reported.image_version,
            DIRECTOR_VERSION: reported.director_version,
            TIME_FLOOR: reported.time_floor,
            "boot": reported.boot,
        }
        for name, value in marks.items():
            if value < self._marks.get(name, value) and name not in self._forgiven:
                self._broken(f"has gone back from {name} {self._marks[name]} to {value}")
        self._marks = marks

    def _check_committed(self, board: SimBoard) -> None:
        told = self._ledger.committed.get(self._device)
        journal = board.agent.updater.journal
        if told is None or self.damages or journal.state is State.COMMITTED:
            return
        active = None if journal.active is None else journal.active.version
        if active == told[2] or self._is_newer_pending(board, told[:2]):
            return
        self._broken(f"has told the hub that version {told[2]} is committed, and knows {active}")

    def _is_newer_pending(self, board: SimBoard, told: tuple[int, int]) -> bool:
        """Whether a later commit is still on its way to the hub."""
        return any(
            (p.boot, p.seq) > told and b'"committed"' in p.payload
            for p in board.outbox.pending(10_000)
        )

    def _check_phase(self, board: SimBoard) -> None:
        """A release is gone for only by whom a signed statement has let in."""
        journal = board.agent.updater.journal
        release, desired = journal.target, journal.desired
        now = None if release is None else (release.manifest_sha256, release.version)
        if now == self._target:
            return
        self._target = now
        if release is None or desired is None:
            return
        signed = self._ledger.statements.get((self._cohort, desired.sequence))
        if signed != desired:
            self._broken(f"follows statement {desired.sequence}, which nobody has signed")
        if release != assigned(desired, self._device, HARDWARE, {}):
            self._broken(f"goes for version {release.version}, which is not for it")

    def _broken(self, text: str) -> None:
        raise BrokenPromiseError(f"{self._device} {text}")


def lacks(board: SimBoard, desired: DesiredState | None, device: str) -> str | None:
    """What a device lacks to be what the hub wants it to be; None: nothing.

    Args:
        board: The device.
        desired: The last statement for its cohort, None if there was none.
        device: Its name.
    """
    journal, serves = board.agent.updater.journal, board.agent.predictor.manifest
    wanted = None if desired is None else assigned(desired, device, HARDWARE, {})
    if wanted is not None and wanted.manifest_sha256 in {s.manifest for s in journal.quarantine}:
        wanted = None  # it has failed there: the device keeps what it has
    appended, acknowledged, dropped = board.outbox.counts()
    missing = appended - acknowledged - dropped
    what = {
        f"does not know {desired}": journal.desired != desired,
        f"is {journal.state}: {journal.last_error}": journal.state is not State.SERVING,
        f"does not serve {wanted}: {journal.last_error}": (
            wanted is not None and (serves is None or serves.version != wanted.version)
        ),
        "serves nothing, though it has a model": serves is None and journal.active is not None,
        f"has {missing} reports that the hub does not have": missing > 0,
    }
    return next((text for text, true in what.items() if true), None)
