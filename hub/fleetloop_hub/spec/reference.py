"""Writes docs/spec.md: every key of the spec from its type and docstring, and one example.

`make docs` runs it; a test compares what it would write with what is there.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import inspect as types

from fleetloop_hub.spec.data_tables import SourceTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.ids import NAME

_OPENING = """\
# The model spec

One TOML file describes a model's whole life.
`fleetloop init NAME --from data.csv` drafts one from data, `fleetloop check spec.toml` says what \
is wrong with one, and `fleetloop train spec.toml` trains what it describes.
A table in `[[two brackets]]` may stand several times.
A key that is not listed here is an error, and so is a value of another form: both are named \
with their line.
This page is made by `make docs` from the types in `hub/fleetloop_hub/spec`.
"""

_ATTRIBUTE = re.compile(r"^    (\w+): ", re.MULTILINE)


def page() -> str:
    """The whole page, Markdown."""
    parts = [_OPENING, *_tables(ModelSpec, ""), "## An example that sets every key\n"]
    return "\n".join([*parts, f"```toml\n{example()}```\n"])


def example() -> str:
    """A spec in which every key of every table is set and explained, TOML."""
    return files("fleetloop_hub.spec").joinpath("example.toml").read_text("utf-8")


def _tables(form: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    """The sections of the tables in a form, each followed by those inside it."""
    for field in types.type_info(form).fields:  # type: ignore[attr-defined]  # of a struct
        several = isinstance(field.type, types.ListType)
        inner = next(_structs(field.type), None)
        if inner is None:
            continue
        name = f"{prefix}{field.name}"
        title = f"[[{name}]]" if several else f"[{name}]"
        if isinstance(field.type, types.DictType):
            title = f"{name}.KEY = {{ … }}"
        if inner.cls is SourceTable and prefix:
            yield f"## `[{name}]`\n\nThe same keys as in `[[sources]]`.\n"
            continue
        yield _section(title, inner.cls, required=field.required and not prefix)
        yield from _tables(inner.cls, f"{name}.")


def _section(title: str, form: type[msgspec.Struct], *, required: bool) -> str:
    about, meanings = explained(form)
    need = " Must be there." if required else ""
    lines = [f"## `{title}`\n", f"{about}{need}\n", "| key | value | default | meaning |"]
    lines.append("|---|---|---|---|")
    for field in types.type_info(form).fields:  # type: ignore[attr-defined]  # of a struct
        value, default = _in_words(field.type), _default(field)
        meaning = meanings[field.name].replace("|", "\\|")
        lines.append(f"| `{field.name}` | {value} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def explained(form: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """What a table is about, and what each of its keys is for, from its docstring."""
    """What a table's docstring says of it and of its keys."""
    about, _, attributes = inspect.getdoc(form).partition("Attributes:\n")  # type: ignore[union-attr]  # ruff demands it
    parts = _ATTRIBUTE.split(attributes)[1:]
    meanings = dict(zip(parts[::2], (" ".join(p.split()) for p in parts[1::2]), strict=True))
    return " ".join(about.split()), meanings


def _structs(type_: types.Type) -> Iterator[types.StructType]:
    if isinstance(type_, types.StructType):
        yield type_
    for part in _parts(type_):
        yield from _structs(part)


def _parts(type_: types.Type) -> tuple[types.Type, ...]:
    if isinstance(type_, types.ListType):
        return (type_.item_type,)
    if isinstance(type_, types.DictType):
        return (type_.value_type,)
    return type_.types if isinstance(type_, types.UnionType) else ()


def _in_words(type_: types.Type) -> str:
    match type_:
        case types.UnionType():
            named = [part for part in type_.types if not isinstance(part, types.NoneType)]
            words = " or ".join(_in_words(part) for part in named)
        case types.ListType():
            words = f"list of {_in_words(type_.item_type)}{_length(type_, 'items')}"
        case types.DictType():
            words = f"table of keys, each a {_in_words(type_.value_type)}"
        case types.StructType():
            words = "table"
        case types.LiteralType():
            words = ", ".join(f'`"{value}"`' for value in sorted(map(str, type_.values)))
        case types.IntType() | types.FloatType():
            kind = "whole number" if isinstance(type_, types.IntType) else "number"
            words = f"{kind}{_limits(type_)}"
        case types.BoolType():
            words = "`true` or `false`"
        case types.StrType():
            name = type_.pattern == f"^{NAME}$"
            words = "name (1 to 64 of a-z 0-9 _ -)" if name else f"text{_length(type_)}"
        case _:
            raise TypeError(f"{type_} has no words yet")
    return words


def _limits(type_: types.IntType | types.FloatType) -> str:
    limits = {"≥": type_.ge, ">": type_.gt, "≤": type_.le, "<": type_.lt}
    given = [f"{sign} {_plain(limit)}" for sign, limit in limits.items() if limit is not None]
    return f" {', '.join(given)}" if given else ""


def _plain(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:,g}"


def _length(type_: types.ListType | types.StrType, what: str = "characters") -> str:
    low, high = type_.min_length, type_.max_length
    if low is None and high is None:
        return ""
    if low == high == 1:
        return " of one character"
    return f" ({low or 0} to {high:,} {what})" if high else f" (at least {low})"


def _default(field: types.Field) -> str:
    if field.required:
        return "must be given"
    value = field.default
    if value is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    if value is None or value in ({}, ""):
        return "none"
    if isinstance(value, list):
        return f"`{value}`" if value else "empty"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"`{value:_}`"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f'`"{value}"`'


def main() -> None:
    """Write the page where the command line says."""
    path = Path(sys.argv[1]).absolute()
    replace(RealDisk(path.parent), path, page().encode())


if __name__ == "__main__":
    main()
