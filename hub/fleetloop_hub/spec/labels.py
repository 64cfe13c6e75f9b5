"""How labels as people write them become the numbers that travel."""

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec.data_tables import LabelTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_shared.manifest import NO_CLASS

_TWO = 2


def class_numbers(label: LabelTable) -> list[int]:
    """The number of each listed class: the whole number it reads as, if all do; else its place.

    >>> class_numbers(LabelTable(classes=["dry", "rain"]))
    [0, 1]
    >>> class_numbers(LabelTable(classes=["3", "7"]))
    [3, 7]
    """
    if all(_is_whole(name) for name in label.classes):
        return [int(name) for name in label.classes]
    return list(range(len(label.classes)))


def class_names(label: LabelTable) -> list[str]:
    """What the classes are called, in the order of their numbers; empty if by their numbers."""
    return [] if all(_is_whole(name) for name in label.classes) else list(label.classes)


def names_by_number(spec: ModelSpec) -> dict[str, str]:
    """The texts of a classification's classes by their numbers; empty if they are numbers."""
    if spec.model.task == "regression":
        return {}
    return {str(number): name for number, name in enumerate(class_names(spec.label))}


def positive_number(spec: ModelSpec) -> int:
    """The number of the positive class.

    Raises:
        SpecError: It is none of the classes, nor a whole number.
    """
    label, text = spec.label, str(spec.label.positive)
    if text in label.classes:
        return class_numbers(label)[label.classes.index(text)]
    if not _is_whole(text):
        raise SpecError(f"model spec: label.positive: {text!r} is no class; write one of them")
    return int(text)


def positive_place(spec: ModelSpec, classes: list[int]) -> int:
    """The column of the positive class among the outputs, or `NO_CLASS`.

    Args:
        spec: The spec.
        classes: The labels as numbers, in the order of the outputs.

    Raises:
        SpecError: Of two classes none is the positive one.
    """
    if len(classes) != _TWO:
        return NO_CLASS
    number = positive_number(spec)
    if number not in classes:
        raise SpecError(
            f"model spec: label.positive = {spec.label.positive!r} is none of the labels "
            f"{', '.join(map(str, classes))}; write one of them"
        )
    return classes.index(number)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit()
