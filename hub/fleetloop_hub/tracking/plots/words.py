"""What classes and candidates are called in pictures."""

from fleetloop_shared.manifest import Signature

_CHARS = 18
_KILO = 1_000


def class_name(signature: Signature, place: int) -> str:
    """What a class is called.

    Args:
        signature: Names and numbers.
        place: The class's place among the outputs.
    """
    names = signature.class_names
    return short(names[place] if names else f"class {signature.classes[place]}")


def size(count: float) -> str:
    """Bytes with their unit, as ticks have them.

    >>> size(46_000)
    '46 kB'
    """
    for unit in ("B", "kB", "MB"):
        if count < _KILO:
            return f"{count:.3g} {unit}"
        count /= _KILO
    return f"{count:.3g} GB"


def short(text: str) -> str:
    """A name that fits beside an axis."""
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 1]}…"
