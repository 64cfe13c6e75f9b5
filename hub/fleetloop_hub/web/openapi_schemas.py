"""JSON Schemas (2020-12) of the types that routes take and give, with the words of their docs."""

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

Schema = dict[str, Any]

_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_REF = "#/components/schemas/{name}"
_NONE = re.compile(
    r"\bNone(?= (?:if|while|before|without|where|as|until|for|once|after|is)\b|[:,.;])"
)
_ATTRIBUTE = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


class Schemas:
    """The schemas of some types, each under the name by which others refer to it.

    Attributes:
        components: Every schema that is referred to, by name.
    """

    components: dict[str, Schema]

    def __init__(self, taken: Iterable[object], given: Iterable[object]) -> None:
        """Make them.

        Args:
            taken: Types of bodies.
            given: Types of answers: what is written names every field, also those with defaults.
        """
        self._taken, given = _once(taken), _once(given)
        self._every = _once([*self._taken, *given])
        schemas, self.components = msgspec.json.schema_components(self._every, ref_template=_REF)
        even([*schemas, self.components])
        self._schemas = dict(zip(map(id, self._every), schemas, strict=True))
        _, asked = msgspec.json.schema_components(self._taken, ref_template=_REF)
        for class_ in _classes(msgspec.inspect.multi_type_info(self._every)):
            for name in (class_.__name__, f"{class_.__module__}.{class_.__qualname__}"):
                if (schema := self.components.get(name)) is not None:
                    _explain(schema, class_)
                    if name not in asked and not _leaves_out(class_):
                        schema["required"] = list(schema["properties"])

    def of(self, type_: object) -> Schema:
        """The schema of one of the types."""
        return self._schemas[id(type_)]


def parameters(type_: type[msgspec.Struct]) -> Iterator[tuple[str, Schema, bool]]:
    """The fields of a query, each with the schema of its text, and whether it must be there."""
    (_,), components = msgspec.json.schema_components([type_], ref_template=_REF)
    even(components)
    schema = components.pop(type_.__name__)
    _explain(schema, type_)
    for name, found in schema["properties"].items():
        yield name, _without_null(found, components), name in schema.get("required", ())


def even(found: object) -> None:
    """Write every bound of a number as a number with a fraction.

    Python takes `Annotated[float, Meta(ge=0)]` and one with `ge=0.0` for the same type, and keeps
    whichever was made first: that depends on the order of imports.
    """
    if isinstance(found, dict):
        if found.get("type") == "number":
            for name in _BOUNDS & found.keys():
                found[name] = float(found[name])
        for value in found.values():
            even(value)
    elif isinstance(found, list):
        for value in found:
            even(value)


def _without_null(schema: Schema, components: dict[str, Schema]) -> Schema:
    """What a parameter may be if it is there, with nothing to look up elsewhere."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind != {"type": "null"}]
    flat = kinds[0]
    if "$ref" in flat:
        flat = components[flat["$ref"].rpartition("/")[2]]
    told = {"description": schema.get("description", "")} if len(schema) > 1 else {}
    kept = {k: v for k, v in flat.items() if k not in {"title", "description", "$ref"}}
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    return told | kept | default


def _once(types: Iterable[object]) -> list[object]:
    return list({id(type_): type_ for type_ in types}.values())


def _classes(found: object, seen: set[int] | None = None) -> Iterator[type]:
    """Every struct, data class and typed dictionary below."""
    seen = set() if seen is None else seen
    if isinstance(found, (list, tuple)):
        for one in found:
            yield from _classes(one, seen)
    elif isinstance(found, (msgspec.inspect.Type, msgspec.inspect.Field)):
        if id(found) in seen:
            return
        seen.add(id(found))
        if isinstance(found, (msgspec.inspect.StructType, msgspec.inspect.DataclassType)):
            yield found.cls
        for name in found.__struct_fields__:
            yield from _classes(getattr(found, name), seen)
    elif isinstance(found, msgspec.inspect.TypedDictType):
        yield found.cls


def _leaves_out(class_: type) -> bool:
    """Whether fields that have their default are not written."""
    if dataclasses.is_dataclass(class_):
        return False
    return not issubclass(class_, msgspec.Struct) or class_.__struct_config__.omit_defaults


def _explain(schema: Schema, class_: type) -> None:
    """Move what docstrings say of attributes to the properties that they are."""
    schema["description"] = (
        inspect.cleandoc(class_.__doc__ or "").partition("\nAttributes:\n")[0].strip()
    )
    for base in class_.__mro__:
        _, _, attributes = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")
        parts = _ATTRIBUTE.split(attributes)
        for name, words in zip(parts[1::2], parts[2::2], strict=True):
            found = schema.get("properties", {}).get(name)
            if found is not None and "description" not in found:
                schema["properties"][name] = {"description": _in_json(words)} | found


def _in_json(words: str) -> str:
    """What Python's words say of what is written as JSON."""
    return _NONE.sub("null", " ".join(words.split()))
