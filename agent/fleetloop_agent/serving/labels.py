"""Reads what a program tells of answers once the truth is known: prediction ids and labels."""

from collections.abc import Iterable

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.truths import Truths

Told = tuple[str, int | float]
"""A prediction id, and what should have been answered."""

_MAX_ID = 200


def read_labels(labels: Iterable[object], device: str, truths: Truths) -> list[Told]:
    """Labels as reports carry them, all or none.

    Args:
        labels: Pairs of prediction id and label, or whatever else a program gave.
        device: Who serves; the hub looks for a label's answer among those of who sent it.
        truths: What labels the loaded model has.

    Raises:
        InputError: Not a pair, not an id of this device, or not a label; names which, from 0.
    """
    return [_read(number, pair, device, truths) for number, pair in enumerate(labels)]


def number_of(prediction_id: str, prefix: str) -> int | None:
    """The number of an answer of this start, None where it is none.

    >>> number_of("station-1.3.17", "station-1.3."), number_of("station-1.2.17", "station-1.3.")
    (17, None)
    """
    number = prediction_id.removeprefix(prefix)
    own = number != prediction_id and number.isascii() and number.isdecimal()
    return int(number) if own else None


def _read(number: int, pair: object, device: str, truths: Truths) -> Told:
    if not isinstance(pair, tuple | list) or len(pair) != len(("id", "label")):
        raise InputError(f"label {number}: give a pair of prediction id and label")
    prediction_id, label = pair
    if not isinstance(prediction_id, str) or not 0 < len(prediction_id) <= _MAX_ID:
        raise InputError(
            f"label {number}: the prediction id must be a text of 1 to {_MAX_ID} characters"
        )
    name, *counts = prediction_id.rsplit(".", 2)
    if name != device or len(counts) != len(("boot", "answer")) or not all(map(_count, counts)):
        raise InputError(
            f"label {number}: {prediction_id[:80]!r} is no prediction id of {device}: those look "
            f"like {device}.1.1; tell each device the labels of its own answers"
        )
    try:
        return prediction_id, truths.read(label)
    except InputError as error:
        raise InputError(f"label {number}: {error}") from None


def _count(text: str) -> bool:
    return text.isascii() and text.isdecimal()
