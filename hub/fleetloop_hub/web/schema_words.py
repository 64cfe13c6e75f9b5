"""JSON Schemas in words, for the page of the API: what a value is, and what it may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

SEEN = r"[^\x00-\x20\x7f-\xa0]"
"""The pattern of what has something that is neither blank nor control: unlike "not a space", it
means the same in every language."""

_LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {}",
    "maxProperties": "at most {}",
    "pattern": "like {}",
}


@dataclass(frozen=True)
class Kind:
    """What a value is.

    Attributes:
        before: Words, such as "list of".
        link: The schema that it is of, "" if it is of none.
        after: Words, such as "or null".
    """

    before: str = ""
    link: str = ""
    after: str = ""


@dataclass(frozen=True)
class Property:
    """A part of an object.

    Attributes:
        name: Its name.
        kind: What it is.
        required: Whether it must be there.
        default: What stands for it where it is not, as JSON would write it; "" for nothing.
        text: What it means.
    """

    name: str
    kind: Kind
    required: bool
    default: str
    text: str


def properties(schema: Schema) -> Iterator[Property]:
    """The parts of an object's schema."""
    required = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        default = part.get("default")
        yield Property(
            name=name,
            kind=kind(part),
            required=name in required,
            default="" if default in (None, "", [], {}) else str(default),
            text=part.get("description", ""),
        )


def kind(schema: Schema) -> Kind:
    """What a value of a schema is.

    >>> kind({"type": "array", "items": {"$ref": "#/components/schemas/Run"}})
    Kind(before='list of ', link='Run', after='')
    >>> kind({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}).before
    'integer, from 1, or null'
    """
    if "$ref" in schema:
        return Kind(link=schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return _either([part for part in schema["anyOf"] if part != {"type": "null"}], schema)
    if "enum" in schema:
        return Kind(" | ".join(str(value) for value in schema["enum"]))
    if "const" in schema:
        return Kind(str(schema["const"]))
    inner = schema.get("items") or schema.get("additionalProperties")
    if isinstance(inner, dict) and inner:
        of = kind(inner)
        first = "list of " if schema.get("type") == "array" else "by name: "
        return Kind(f"{first}{of.before}", of.link, of.after)
    words = [str(schema.get("type", "anything"))]
    words += [_limit(key, schema[key]) for key in _LIMITS if key in schema]
    return Kind(", ".join(words))


def _limit(key: str, value: object) -> str:
    return "not blank" if value == SEEN else _LIMITS[key].format(value)


def _either(parts: list[Schema], schema: Schema) -> Kind:
    null = ", or null" if {"type": "null"} in schema["anyOf"] else ""
    if len(parts) == 1:
        found = kind(parts[0])
        if found.link:
            return Kind(found.before, found.link, f"{found.after}{null}")
        return Kind(f"{found.before}{null}")
    found_all = [kind(part) for part in parts]
    return Kind(" or ".join(one.before + one.link + one.after for one in found_all) + null)
