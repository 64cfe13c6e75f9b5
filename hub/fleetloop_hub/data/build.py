"""Builds a dataset version in a folder: what was there before, and what is new."""

import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetloop_hub.data import late, parquet, quarantine, samples
from fleetloop_hub.data.field_shares import FieldShares
from fleetloop_hub.data.files import Standing
from fleetloop_hub.data.finish import Built, Ready, finish
from fleetloop_hub.data.keys import Keys, hashed
from fleetloop_hub.data.known_samples import known_samples
from fleetloop_hub.data.openings import Opening, named, openings
from fleetloop_hub.data.prepare import Preparation
from fleetloop_hub.data.quarantine import Quarantine
from fleetloop_hub.data.row_marks import exchanged
from fleetloop_hub.data.staging import Staging
from fleetloop_hub.data.wanted import of_late_labels, of_rows
from fleetloop_hub.data.windows import Choice, Window
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.errors import DiskFullError

Tell = Callable[[float, str], object]
_ALL = Choice()


@dataclass(frozen=True)
class Before:
    """The version to grow from, and its files.

    Attributes:
        dataset: Its record.
        rows: Its rows.
        quarantine: The rows that were kept out of it, if there are any.
        late: The late labels that were read, if there are any.
    """

    dataset: Dataset
    rows: Path
    quarantine: Path | None
    late: Path | None


def shape_of(spec: ModelSpec) -> str:
    """SHA-256 of what a spec says about rows; rows made by another one are made anew."""
    label = spec.label
    parts = (
        spec.model.name,
        spec.model.task,
        spec.rows,
        (label.column, label.classes, label.late),
        spec.features,
        spec.rules,
        spec.group_columns,
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def from_sources(
    spec: ModelSpec, folder: Path, work: Path, before: Before | None, tell: Tell
) -> Built | None:
    """A version with what the sources hold and was not read before; None if there is nothing new.

    Args:
        spec: The spec.
        folder: What the paths in it are relative to.
        work: A folder of its own, in which the files of the version are left.
        before: The version to grow from. If the spec says other things about rows than it did then,
            everything is read anew.
        tell: Called with the share of the work that is done, and what is being done.

    Raises:
        DataError: A source is not there, is no table, or no row is left to train on.
        DiskFullError: No room in `work`.
    """
    known = before if before is not None and before.dataset.shape == shape_of(spec) else None
    marks = [] if known is None else known.dataset.sources
    rows, labels = _open(spec, folder, marks)
    kept_words = [m.words for m in marks if _still_named(spec, m)]
    dropped = {m.words for m in marks if m.words not in kept_words}
    dropped |= {o.words for o in [*rows, *labels] if o.standing is Standing.REPLACED}
    todo = [o for o in [*rows, *labels] if o.standing is not Standing.SAME]
    if known is not None and not todo and not dropped:
        return None
    with _growth(spec, work, known) as growth:
        growth.carry_over(dropped)
        for number, opening in enumerate(todo):
            growth.read(opening, number / len(todo), 1 / len(todo), tell, is_late=opening in labels)
        if known is not None and not dropped and not growth.news:
            return None
        tell(0.8, "writing the dataset version")
        parent = None if before is None else before.dataset.key
        built = growth.finished(parent, window=None)
    anew = [o.words for o in rows if o.standing is Standing.REPLACED or known is None]
    left_out = dropped & {m.words for m in marks if not m.late}
    if before is None or (known is not None and not left_out):
        return built
    return _against(built, before.rows, anew)


def with_samples(
    spec: ModelSpec,
    before: Before,
    labelled: Iterable[LabelledSample],
    work: Path,
    choice: Choice = _ALL,
) -> Built:
    """A version with rows of another and from devices, as `spec.retrain` and `sampling` say.

    Args:
        spec: The spec.
        before: The version to grow from.
        labelled: Rows with their labels; gone through twice, so that an iterator is made a list.
        work: A folder of its own, in which the files of the version are left.
        choice: What is asked of the rows.

    Raises:
        DataError: The parent has other columns than the spec, or no row is left to train on.
        DiskFullError: No room in `work`.
    """
    rows = list(labelled) if isinstance(labelled, Iterator) else labelled
    shares = FieldShares(spec.sampling.most_of_one_device, choice.excluded)
    with _growth(spec, work, before) as growth:
        growth.carry_over(set())
        growth.read_samples(rows, shares)
        built = growth.finished(before.dataset.key, window=Window(spec.retrain, choice.since))
    told = {"devices": shares.told(), "labelled": sum(1 for _ in rows)}
    dataset = msgspec.structs.replace(built.dataset, **told)
    return Built(dataset, built.rows, built.quarantine, built.late)


def _open(
    spec: ModelSpec, folder: Path, marks: list[SourceMark]
) -> tuple[list[Opening], list[Opening]]:
    wanted = of_rows(spec)
    known = {m.words: m for m in marks if not m.late}
    rows = [o for source in spec.sources for o in openings(source, folder, wanted, known)]
    words = [o.words for o in rows]
    for word in words:
        if words.count(word) > 1:
            raise DataError(f"{word} stands twice under [[sources]]; name it once")
    if spec.label.late is None:
        return rows, []
    known = {m.words: m for m in marks if m.late}
    return rows, openings(spec.label.late.source, folder, of_late_labels(spec), known)


def _against(built: Built, parent: Path, read_anew: list[str]) -> Built:
    """The version with what it has and has not of its parent, where rows may be gone."""
    added, gone = exchanged(parent, built.rows, timed=built.dataset.timed)
    dataset = msgspec.structs.replace(built.dataset, added=added, gone=gone, read_anew=read_anew)
    return Built(dataset, built.rows, built.quarantine, built.late)


def _still_named(spec: ModelSpec, mark: SourceMark) -> bool:
    if mark.late:
        return spec.label.late is not None and named(spec.label.late.source, mark.words)
    return any(named(source, mark.words) for source in spec.sources)


@contextlib.contextmanager
def _growth(spec: ModelSpec, work: Path, before: Before | None) -> Iterator["_Growth"]:
    growth = _Growth(spec, work, before)
    try:
        yield growth
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise DiskFullError(
            f"no room in {work} for a dataset version: free some space; nothing was harmed"
        ) from error
    finally:
        growth.tidy()


class _Growth:
    """A version that is being put together."""

    def __init__(self, spec: ModelSpec, work: Path, before: Before | None) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._spec, self._work, self._before = spec, work, before
        self._form = parquet.dataset_schema(spec)
        self._staging = Staging(work / "staging.arrow", self._form)
        self._quarantine = Quarantine(work / "quarantine.parquet")
        self._keys, self._old_rows = Keys(), 0
        self._late: list[pa.Table] = []
        self._marks: dict[tuple[bool, str], SourceMark] = {}
        if before is not None:
            self._marks = {(m.late, m.words): m for m in before.dataset.sources}
        first = sum(m.rows for m in self._marks.values() if not m.late)
        self._preparation = Preparation(spec, self._keys, first)
        self.news = False

    def carry_over(self, dropped: set[str]) -> None:
        """Take the rows, quarantined rows and late labels of before, without some sources'."""
        self._marks = {key: mark for key, mark in self._marks.items() if key[1] not in dropped}
        before = self._before
        if before is None:
            return
        gone = pa.array(sorted(dropped), pa.string())
        for table in parquet.batches(before.rows):
            missing = [name for name in self._form.names if name not in table.column_names]
            if missing:
                raise parquet.no_version(f"it has no {', '.join(missing)}")
            rows = table.select(self._form.names)
            rows = (
                rows.filter(pc.invert(pc.is_in(rows.column("source"), gone))) if dropped else rows
            )
            self._staging.add(rows)
            if self._spec.rows.key is not None:
                named_rows = rows.filter(pc.is_valid(rows.column("key")))
                at = named_rows.column("at").to_numpy() if self._spec.label.late else None
                key = named_rows.column("key").combine_chunks()
                self._keys.taken(hashed(key, at))
        self._old_rows = self._staging.rows
        if before.quarantine is not None:
            for refused in quarantine.read(before.quarantine):
                self._quarantine.add([r for r in refused if r.source not in dropped])
        if before.late is not None:
            known = pq.read_table(before.late)
            self._late.append(known.filter(pc.invert(pc.is_in(known.column("source"), gone))))

    def read(
        self, opening: Opening, done: float, part: float, tell: Tell, *, is_late: bool
    ) -> None:
        """Take what is new of one source."""
        for chunk in opening.read():
            if is_late:
                known, refused = late.prepare(chunk, self._spec)
                self._late.append(known)
            else:
                prepared = self._preparation.prepare(chunk)
                refused = prepared.refused
                self._staging.add(prepared.rows)
            self._quarantine.add(refused)
            mark = msgspec.structs.replace(chunk.mark, late=is_late)
            self.news |= bool(len(chunk.lines) or chunk.broken)
            self._marks[is_late, opening.words] = mark
            tell(
                0.8 * (done + part * chunk.share),
                f"reading {opening.words}: {mark.rows:,} rows, {self._quarantine.rows:,} kept out",
            )

    def read_samples(self, labelled: Iterable[LabelledSample], shares: FieldShares) -> None:
        """Take what devices have seen, as far as their shares go."""
        before = self._before
        rows, kept_out = (before.rows, before.quarantine) if before else (None, None)
        names, labels = known_samples(rows, kept_out, shares)
        shares.look(labelled)
        for prepared in samples.prepare(shares.kept(labelled), self._spec, names, labels):
            self._staging.add(prepared.rows)
            self._quarantine.add(prepared.refused)

    def finished(self, parent: str | None, *, window: Window | None) -> Built:
        """Write the version."""
        self._quarantine.close()
        ready = Ready(
            staged=self._staging.finish(),
            old_rows=self._old_rows,
            late=pa.concat_tables(self._late) if self._late else None,
            quarantine=self._quarantine,
            marks=list(self._marks.values()),
            parent=parent,
            window=window,
        )
        built = finish(self._spec, ready, self._work)
        learned = self._before.dataset.labelled if self._before else 0
        shaped = {"shape": shape_of(self._spec), "labelled": learned}
        shape = msgspec.structs.replace(built.dataset, **shaped)
        return Built(shape, built.rows, built.quarantine, built.late)

    def tidy(self) -> None:
        """Leave nothing but the version's files."""
        for file in (self._staging, self._quarantine):
            with contextlib.suppress(OSError):  # it was said already
                file.close()
        (self._work / "staging.arrow").unlink(missing_ok=True)
