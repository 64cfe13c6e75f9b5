"""Says whether a run that was done again came to the same bytes, and if not, what differs."""

from collections.abc import Iterator

from msgspec.structs import replace

from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run
from fleetloop_hub.run_parts import Candidate, Machine, Reproduction
from fleetloop_hub.tracking.kept import whole
from fleetloop_hub.tracking.tensors import first_difference
from fleetloop_hub.training import job as files

_ARTIFACT = str(files.ARTIFACT)
_FLOAT = str(files.FLOAT)
_TIMES = ("_ms",)


def judged(catalog: Catalog, blobs: Blobs, again: Run) -> Run:
    """The record of a reproduction, with the verdict.

    Args:
        catalog: Has the run that was done again.
        blobs: Has what both runs have left.
        again: The run that has just ended.
    """
    original = catalog.find(Run, again.reproduces or "")
    if original is None:
        text = f"run {again.reproduces} is no longer in the catalog, so nothing was compared"
        return replace(again, reproduction=Reproduction(equal=False, differences=[text]))
    wanted, made = original.artifacts.get(_ARTIFACT), again.artifacts.get(_ARTIFACT)
    if wanted is not None and wanted == made:
        return replace(again, reproduction=Reproduction(equal=True))
    told = [
        *surroundings(original, again),
        *results(whole(original, blobs), whole(again, blobs)),
        *_files(original, again, blobs),
    ]
    return replace(again, reproduction=Reproduction(equal=False, differences=told))


def surroundings(original: Run, again: Run) -> list[str]:
    """What the two depend on and do not have in common: data, spec, code, libraries, machine."""
    told = [
        f"{what}: {before} then, {now} now"
        for what, before, now in (
            ("dataset version", original.dataset[:12], again.dataset[:12]),
            ("spec", original.spec[:12], again.spec[:12]),
            ("seed", original.seed, again.seed),
            ("code", original.code, again.code),
        )
        if before != now
    ]
    names = sorted(original.libraries.keys() | again.libraries.keys())
    for name in names:
        before, now = original.libraries.get(name, "none"), again.libraries.get(name, "none")
        if before != now:
            told.append(f"library {name}: {before} then, {now} now")
    return [*told, *_machines(original.machine, again.machine)]


def results(original: Run, again: Run) -> list[str]:
    """In which candidates and metrics the two differ; times, which never repeat, are left out."""
    ours = {c.name: c for c in original.candidates}
    theirs = {c.name: c for c in again.candidates}
    told = [f"candidate {name}: only then" for name in ours if name not in theirs]
    told += [f"candidate {name}: only now" for name in theirs if name not in ours]
    for name in (name for name in ours if name in theirs):
        told += [f"candidate {name}: {text}" for text in _candidates(ours[name], theirs[name])]
    if original.chosen != again.chosen:
        told.append(f"taken: {original.chosen} then, {again.chosen} now")
    for name in sorted(original.metrics.keys() | again.metrics.keys()):
        before, now = original.metrics.get(name), again.metrics.get(name)
        if before != now and not name.endswith(_TIMES):
            told.append(f"metric {name}: {before} then, {now} now")
    return told


def _machines(before: Machine | None, now: Machine | None) -> Iterator[str]:
    if before is None or now is None:
        if before != now:
            yield "machine: not recorded then"
        return
    for name in ("platform", "cpu", "cores", "extensions", "threads"):
        then, here = getattr(before, name), getattr(now, name)
        if then != here:
            yield f"machine, {name}: {_words(then)} then, {_words(here)} now"


def _candidates(before: Candidate, now: Candidate) -> Iterator[str]:
    for name in sorted(before.parameters.keys() | now.parameters.keys()):
        then, here = before.parameters.get(name), now.parameters.get(name)
        if then != here:
            yield f"{name} was {then}, is {here}"
    for name in ("score", "quantized_score", "float_bytes", "artifact_bytes", "recipe"):
        then, here = getattr(before, name), getattr(now, name)
        if then != here:
            yield f"{name.replace('_', ' ')} was {then}, is {here}"


def _files(original: Run, again: Run, blobs: Blobs) -> Iterator[str]:
    for name, words in ((_FLOAT, "float file"), (_ARTIFACT, "artifact")):
        before, now = original.artifacts.get(name), again.artifacts.get(name)
        if before is None or now is None:
            yield f"the {words} of one of them is not kept, so it was not compared"
        elif before == now:
            yield f"the {words}s are equal"
        elif not blobs.has(before):
            yield f"the {words} of then is no longer kept; it was {before[:12]}, is {now[:12]}"
        else:
            yield f"the {words}s differ: {first_difference(blobs.get(before), blobs.get(now))}"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
