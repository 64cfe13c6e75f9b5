"""What the hub's stages need from storage, as promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fleetloop_hub.audit_records import AuditEntry, Deed
from fleetloop_hub.digests_port import Digests
from fleetloop_hub.records import Record
from fleetloop_hub.telemetry_records import (
    DevicePulse,
    LabelFate,
    LabelledSample,
    LabelSums,
    Refusal,
    StoredReport,
)
from fleetloop_shared.reports import Label, Report, Sample

R = TypeVar("R", bound=Record)


class Catalog(ABC):
    """Small documents that must never be lost: once a call returns, a power cut does not undo it.

    Documents are frozen, and so are lists and dicts of those that are given out, so nothing a
    caller holds can change what is kept; to read a document again costs nothing. Safe to be called
    from many threads of one process; a second process is refused.
    """

    @abstractmethod
    def put(self, *records: Record) -> None:
        """Keep documents, replacing those of the same kind and key; all of them or none."""

    @abstractmethod
    def find(self, kind: type[R], key: str) -> R | None:
        """The document, or None."""

    @abstractmethod
    def all(self, kind: type[R]) -> list[R]:
        """Every document of a kind, in the order in which they were first kept."""

    @abstractmethod
    def everything(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Every document, also of unknown kinds: (lower-case name of its record, document)."""

    @abstractmethod
    def update(self, kind: type[R], key: str, change: Callable[[R | None], R]) -> R:
        """Replace a document by what `change` makes of it, with nobody else writing meanwhile."""

    @abstractmethod
    def revision(self, *kinds: type[Record]) -> int:
        """A number that is another one once a document of these kinds was put; cheap to ask."""

    @abstractmethod
    def close(self) -> None:
        """Let another process have it."""


class Telemetry(ABC):
    """What devices say, in order and without doubles. Safe to be called from many threads."""

    @property
    @abstractmethod
    def digests(self) -> Digests:
        """What all of it adds up to, kept as it comes."""

    @abstractmethod
    def store(self, reports: Iterable[tuple[str, bytes, Report]]) -> list[tuple[str, Report]]:
        """Take in reports: (kind, payload, message); durable when it returns.

        One that is there already (device, boot, seq) is left as it is. Samples and labels are also
        put where `labelled` finds them. What contradicts an earlier report, sample or label of the
        same name is counted as a refusal, and so is a report that cannot be kept. What a device
        reports to have refused is counted for it, under the names that are known. A report is a
        sign of life of a device that has a pulse.

        Returns:
            Kind and message of those that are kept and were not there.

        Raises:
            DiskFullError: No room; none of these reports was kept.
        """

    @abstractmethod
    def pulse(self, device: str, *, state: bytes | None, reported: bytes | None) -> None:
        """Note what a device's retained messages say; None leaves what is there."""

    @abstractmethod
    def pulses(self) -> list[DevicePulse]:
        """Every device that was ever heard of."""

    @abstractmethod
    def reports(
        self, kind: str, *, device: str | None = None, since: float = 0.0, limit: int = 1000
    ) -> list[StoredReport]:
        """The newest `limit` reports of a kind, oldest first: by (stored time, boot, seq)."""

    @abstractmethod
    def report_count(self, device: str | None = None) -> int:
        """How many reports are kept, of one device or of all."""

    @abstractmethod
    def labelled(self, model: str, *, since: float = 0.0) -> Iterator[LabelledSample]:
        """Samples of a model whose label has come, in order of event time."""

    @abstractmethod
    def labelled_after(
        self, model: str, after: int, *, version: int | None = None
    ) -> tuple[list[LabelledSample], int]:
        """Some samples in the order in which labels met them, and where to go on; 0 to begin.

        With a version, only those that it has answered.
        """

    @abstractmethod
    def labelled_count(
        self, model: str, *, version: int | None = None, since: float | None = None
    ) -> tuple[int, int]:
        """Labelled samples of a model (or one version), and how many were answered as labelled.

        With `since`, only those of that event time or later; not together with a version.

        The second number is that of right answers where answers are classes. A regression's are
        near the truth or far from it: there it says nothing.
        """

    @abstractmethod
    def labelled_error(self, model: str, *, version: int) -> float | None:
        """Mean distance of a regression's answers from their labels, None without labels."""

    @abstractmethod
    def label(self, told: Iterable[tuple[str, Label]], source: str) -> list[LabelFate]:
        """Take in labels that were told to the hub: (who made the prediction, label); durable.

        What came first stands; what is not taken is counted for `source`, who says so.

        Raises:
            DiskFullError: No room; none was kept.
        """

    @abstractmethod
    def label_sums(self, model: str, version: int) -> list[LabelSums]:
        """Of a version's labelled samples, by device; those without a probability are left out."""

    @abstractmethod
    def unlabelled(self, model: str, limit: int) -> list[tuple[str, Sample]]:
        """The newest samples of a model whose label has not come: (device, sample)."""

    @abstractmethod
    def labels_waiting(self) -> dict[str, int]:
        """Labels whose rows have not come, by device."""

    @abstractmethod
    def boot(self, device: str) -> int:
        """The latest boot of which a device has reported, 0 before the first report."""

    @abstractmethod
    def sampled_bytes(self, device: str, since: float) -> int:
        """Bytes of the reports of samples that were taken in from a device since a moment."""

    @abstractmethod
    def refuse(self, source: str, reason: str, text: str, topic: str = "", count: int = 1) -> None:
        """Count something that was not taken in, and keep the last such text and its topic.

        There is one row a source and reason, so a source must be one of few.
        """

    @abstractmethod
    def forget(self, most: int) -> int:
        """Take away reports that are older than reports are kept, the oldest first; how many.

        What they add up to stays, and of each kind the last report of a device. One that comes
        again after that is passed over.

        Args:
            most: No more than so many of a kind.
        """

    @abstractmethod
    def refusals(self) -> dict[tuple[str, str], int]:
        """How much the hub has refused, by (source, reason)."""

    @abstractmethod
    def last_refusals(self, limit: int) -> list[Refusal]:
        """What was refused last, by the hub and by devices, as far as they say: newest first."""

    @abstractmethod
    def revision(self) -> int:
        """A number that is another one once anything was taken in; cheap to ask."""

    @abstractmethod
    def close(self) -> None:
        """Finish."""


class Blobs(ABC):
    """Bytes by their SHA-256: artifacts, manifests, datasets, specs. Durable once `put` returns.

    What was put is fresh until `settle` has seen it named by the catalog: whoever has put it may
    still be on the way there, so nothing fresh is ever removed. Only one process puts, so that a
    restart leaves nothing fresh.
    """

    @abstractmethod
    def put(self, data: bytes) -> str:
        """Keep bytes; returns their SHA-256. Costs nothing if they are there already."""

    @abstractmethod
    def put_file(self, path: Path) -> str:
        """Keep the bytes of a file, a piece at a time; returns their SHA-256.

        Raises:
            BlobError: The file cannot be read, or changes meanwhile.
            DiskFullError: No room; nothing was kept.
        """

    @abstractmethod
    def get(self, sha256: str) -> bytes:
        """The bytes, checked against their name.

        Raises:
            BlobError: Not there, or no longer what it was.
        """

    @abstractmethod
    def has(self, sha256: str) -> bool:
        """Whether it is there."""

    @abstractmethod
    def path(self, sha256: str) -> Path:
        """A file with the bytes, for another process to read; checked as by `get`.

        Raises:
            BlobError: Not there, or no longer what it was.
        """

    @abstractmethod
    def settle(self, named: Collection[str]) -> None:
        """Note what the catalog names: that is no longer fresh."""

    @abstractmethod
    def unnamed(self, named: Collection[str]) -> dict[str, int]:
        """What is neither named nor fresh: bytes, by SHA-256."""

    @abstractmethod
    def remove(self, sha256: str) -> bool:
        """Take content away, for good once this returns.

        Returns:
            False if it is fresh, and stays.
        """


class Audit(ABC):
    """Who did what to what, and why: a log that only grows. Safe to be called from many threads."""

    @abstractmethod
    def record(self, deed: Deed, now: float) -> str:
        """Keep a deed; durable when it returns the hash of its entry.

        Raises:
            AuditError: The log is not what was written; nothing was added.
            DiskFullError: No room; nothing was added.
        """

    @abstractmethod
    def entries(self) -> list[AuditEntry]:
        """Every entry, oldest first, each checked.

        Raises:
            AuditError: The log is not what was written.
        """
