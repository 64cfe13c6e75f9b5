"""What contradicts itself in the candidates: keys their family does not know, searches in vain."""

from collections.abc import Iterator
from typing import get_type_hints

import msgspec

from fleetloop_hub.spec.explain import Problem, in_dots, wrong_value
from fleetloop_hub.spec.families import FAMILY_KEYS, fits
from fleetloop_hub.spec.lines import Path
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable, RangeTable

_ALWAYS = frozenset({"name", "family", "search"})
_HINTS = get_type_hints(CandidateTable, include_extras=True)


def candidate_problems(spec: ModelSpec) -> Iterator[Problem]:
    """Each contradiction among the candidates."""
    seen: set[str] = set()
    for index, candidate in enumerate(spec.candidates):
        path = ("candidates", index)
        if candidate.name in seen:
            wrong = f"{candidate.name!r} stands twice; give each a name of its own"
            yield _at((*path, "name"), wrong)
        seen.add(candidate.name)
        yield from _candidate(path, candidate, spec)


def _candidate(path: Path, candidate: CandidateTable, spec: ModelSpec) -> Iterator[Problem]:
    family, task = candidate.family, spec.model.task
    if not fits(family, task):
        known = ", ".join(f for f in FAMILY_KEYS if fits(f, task))
        wrong = f'"{family}" is not for a model of task {task}; write one of {known}'
        yield _at((*path, "family"), wrong)
    allowed = FAMILY_KEYS[family]
    knows = f"is not a key of {family}; it knows {', '.join(sorted(allowed))}"
    for key in candidate.__struct_fields__:
        if key not in _ALWAYS | allowed and getattr(candidate, key):
            yield Problem(path=(*path, key), text=f"{in_dots((*path, key))} {knows}")
    for key, choices in candidate.search.items():
        at = (*path, "search", key)
        if key not in allowed:
            yield Problem(path=at, text=f"{in_dots(at)} {knows}")
        elif isinstance(choices, RangeTable):
            yield from _range(at, key, choices)
        elif not choices:
            yield _at(at, "is empty; list values, or write { low = …, high = … }")
        else:
            for place, value in enumerate(choices):
                yield from _accepted((*at, place), key, value)


def _range(path: Path, key: str, choices: RangeTable) -> Iterator[Problem]:
    if choices.low >= choices.high or (choices.log and choices.low <= 0):
        yield _at(path, "write a low below high, above 0 where log = true")
        return
    if key == "hidden":
        yield _at(path, "widths of layers are not drawn from a range; list them: [[32], [64, 32]]")
        return
    whole = _takes(key, int(choices.low)) and not _takes(key, choices.low + 0.5)
    if whole and not choices.whole:
        yield _at(path, f"{key} is a whole number; write whole = true as well")
        return
    for end in ("low", "high"):
        value = getattr(choices, end)
        at_whole = choices.whole and value.is_integer()
        yield from _accepted((*path, end), key, int(value) if at_whole else value)


def _accepted(path: Path, key: str, value: object) -> Iterator[Problem]:
    """What the key itself would say of a value."""
    try:
        msgspec.convert(value, _HINTS[key])
    except msgspec.ValidationError as error:
        yield wrong_value(str(error), path, _HINTS[key])


def _takes(key: str, value: float) -> bool:
    return not any(_accepted((), key, value))


def _at(path: Path, what: str) -> Problem:
    return Problem(path=path, text=f"{in_dots(path)}: {what}")
