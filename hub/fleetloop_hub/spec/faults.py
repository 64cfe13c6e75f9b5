"""Every key of a spec that is unknown, missing, or has a value of a wrong form; not the first only.

msgspec stops at the first. Here each table is walked key by key, and each value is given to msgspec
alone.
"""

import functools
import math
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from fleetloop_hub.spec.explain import Problem, in_dots, missing_key, unknown_key, wrong_value
from fleetloop_hub.spec.lines import Path


def faults(value: object, hint: object, path: Path = ()) -> Iterator[Problem]:
    """What is wrong with a value, and with everything in it.

    Args:
        value: As tomllib has read it.
        hint: The type it should be of, with its limits.
        path: Where it stands.
    """
    form, items, values = _inside(hint)
    found: Iterator[Problem] = iter(())
    if isinstance(value, dict) and form is not None:
        yield from _table(value, form, path)
        return
    if isinstance(value, dict) and values is not None:
        found = (p for name, part in value.items() for p in faults(part, values, (*path, name)))
    elif isinstance(value, list) and items is not None:
        found = (p for place, part in enumerate(value) for p in faults(part, items, (*path, place)))
    first = next(found, None)
    if first is None:
        yield from _whole(value, hint, path)
    else:
        yield first
        yield from found


def _table(table: dict[str, object], form: type[msgspec.Struct], path: Path) -> Iterator[Problem]:
    hints = _hints(form)
    for name, value in table.items():
        if name in hints:
            yield from faults(value, hints[name], (*path, name))
        else:
            yield unknown_key((*path, name), list(hints))
    for field in msgspec.structs.fields(form):
        if field.required and field.name not in table:
            yield missing_key((*path, field.name))


def _whole(value: object, hint: object, path: Path) -> Iterator[Problem]:
    if isinstance(value, float) and not math.isfinite(value):
        text = f"{in_dots(path)} is not a number; write a finite one"
        yield Problem(path=path, text=text)
        return
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        yield wrong_value(str(error), path, hint)


@functools.cache
def _hints(form: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(form, include_extras=True)


def _inside(hint: object) -> tuple[type[msgspec.Struct] | None, object | None, object | None]:
    """What a type may hold: the form of its table, the type of its items, and of its values."""
    form: type[msgspec.Struct] | None = None
    items: object | None = None
    values: object | None = None
    for part in _alternatives(hint):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            form = part
        elif get_origin(part) is list:
            items = get_args(part)[0]
        elif get_origin(part) is dict:
            values = get_args(part)[1]
    return form, items, values


def _alternatives(hint: object) -> Iterator[object]:
    """The types of a union, limits taken off."""
    if get_origin(hint) is Annotated:
        yield from _alternatives(get_args(hint)[0])
    elif get_origin(hint) in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from _alternatives(part)
    else:
        yield hint
