"""Reads a spec from TOML, and says of a wrong one which key is wrong and what to write."""

import tomllib
from pathlib import Path

import msgspec

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec.explain import explain, first_not_finite
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.problems import problems


def parse(text: str) -> ModelSpec:
    """The spec in TOML text.

    Raises:
        SpecError: Naming the key, what is wrong with it and what to write instead.
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"model spec: not TOML: {error}") from error
    if (key := first_not_finite(tables)) is not None:
        raise SpecError(f"model spec: {key} is not a number; write a finite one")
    try:
        spec = msgspec.convert(tables, ModelSpec)
    except msgspec.ValidationError as error:
        raise SpecError(f"model spec: {explain(str(error), ModelSpec)}") from error
    for problem in problems(spec):
        raise SpecError(f"model spec: {problem}")
    return spec


def load(path: Path) -> tuple[ModelSpec, str]:
    """The spec in a file, and its text.

    Raises:
        SpecError: No such file, or not a spec.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"model spec {path}: {error}") from error
    return parse(text), text
