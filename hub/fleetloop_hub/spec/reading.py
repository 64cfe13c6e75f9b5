"""Reads a spec from TOML, and says of a wrong one what is wrong, where, and what to write."""

import copy
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec.explain import Problem, wrong_value
from fleetloop_hub.spec.faults import faults
from fleetloop_hub.spec.lines import Path as KeyPath
from fleetloop_hub.spec.lines import key_lines, line_of
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.problems import problems

_AT = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)

_RESTING_ON: dict[KeyPath, tuple[KeyPath, ...]] = {
    ("model", "task"): (("label",), ("candidates",), ("gates",), ("fairness",)),
    ("label", "classes"): (("fairness",),),
    ("rows", "key"): (("label", "late"),),
}
"""What may seem to contradict a key that is wrong by itself, besides the keys of its own table."""


def parse(text: str) -> ModelSpec:
    """The spec in TOML text.

    Raises:
        SpecError: Listing every mistake: line, key, what is wrong with it and what to write.
    """
    spec, found = examine(text)
    if spec is None or found:
        raise SpecError(f"model spec: {_listed(found)}")
    return spec


def examine(text: str) -> tuple[ModelSpec | None, list[Problem]]:
    """The spec in TOML text, and all that is wrong with it, by line.

    Returns:
        No spec where a key is wrong by itself; a spec with problems where keys contradict each
        other; a spec without problems where all is well.
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, [_not_toml(str(error), text)]
    found = list(faults(tables, ModelSpec))
    well_formed = not found
    try:
        spec = msgspec.convert(_without(tables, found), ModelSpec)
    except msgspec.ValidationError as error:
        if well_formed:
            found.append(wrong_value(str(error), (), ModelSpec))
        return None, located(text, found)
    found += [p for p in problems(spec) if not any(_touches(p, fault) for fault in found)]
    return (spec if well_formed else None), located(text, found)


def located(text: str, found: Iterable[Problem]) -> list[Problem]:
    """The problems with their lines, from the first line to the last."""
    listed = list(found)
    lines = key_lines(text) if listed else {}
    with_line = [msgspec.structs.replace(p, line=line_of(lines, p.path)) for p in listed]
    return sorted(with_line, key=lambda p: p.line)


def load(path: Path) -> tuple[ModelSpec, str]:
    """The spec in a file, and its text.

    Raises:
        SpecError: No such file, or not a spec.
    """
    text = read_text(path)
    return parse(text), text


def read_text(path: Path) -> str:
    """The text of a spec's file.

    Raises:
        SpecError: No such file, or not a text.
    """
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"model spec {path} is not text in UTF-8; save it as UTF-8") from error
    except OSError as error:
        remedy = "name a spec, or draft one: fleetloop init NAME --from DATA --out SPEC.toml"
        raise SpecError(f"model spec {in_words(path, error)}; {remedy}") from error


def in_words(path: Path, error: OSError) -> str:
    """Why a file cannot be read, with its name once."""
    if isinstance(error, FileNotFoundError):
        if path.parent.is_dir():
            return f"{path} is not there"
        return f"{path} is not there, nor is its folder {path.parent}"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder, not a file"
    return f"{path}: {(error.strerror or str(error)).lower()}"


def _without(tables: dict[str, Any], found: list[Problem]) -> dict[str, Any]:
    """The tables without the keys that are wrong, so that the others can be looked at together."""
    kept = copy.deepcopy(tables)
    for problem in found:
        table: Any = kept
        for place, part in enumerate(problem.path):
            rest = problem.path[place + 1 :]
            if not any(isinstance(later, str) for later in rest):
                table.pop(part, None)  # the innermost key, not an item: others keep their place
                break
            table = table[part]
    return kept


def _touches(problem: Problem, fault: Problem) -> bool:
    """Whether a contradiction may be only the consequence of a fault."""
    key = fault.path
    while key and isinstance(key[-1], int):
        key = key[:-1]
    shorter = min(len(problem.path), len(key))
    same_table = problem.path[:-1] == key[:-1] != ()
    rests = any(problem.path[: len(path)] == path for path in _RESTING_ON.get(key, ()))
    return same_table or rests or problem.path[:shorter] == key[:shorter]


def _not_toml(error: str, text: str) -> Problem:
    found = _AT.fullmatch(error)
    line = text.count("\n") + 1 if found is None or found[2] is None else int(found[2])
    what = error if found is None else found[1]
    remedy = 'text stands in "quotes", a list in [brackets], each key on a line of its own'
    return Problem(path=(), text=f"not TOML: {what}; {remedy}", line=line)


def _listed(found: list[Problem]) -> str:
    if len(found) == 1:
        return f"line {found[0].line}: {found[0].text}"
    return "\n".join([f"{len(found)} mistakes", *(f"line {p.line}: {p.text}" for p in found)])
