"""Says of a dataset version with one class only that there is nothing to learn from it."""

from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.labels import class_numbers
from fleetloop_hub.spec.model_spec import ModelSpec


def see_classes(dataset: Dataset, spec: ModelSpec) -> None:
    """See that the rows of a classification bear more than one class.

    Raises:
        DataError: They do not; with the remedy.
    """
    if spec.model.task != "classification" or len(dataset.labels) != 1:
        return
    (number,) = dataset.labels
    numbers = map(str, class_numbers(spec.label))
    name = dict(zip(numbers, spec.label.classes, strict=True)).get(number, number)
    first = "".join(f"; kept out: {f.examples[0]}" for f in dataset.faults[:1] if f.examples)
    raise DataError(
        f"{spec.label.column} is {name} in all {dataset.rows:,} rows: training has nothing to "
        "learn from one class; nothing was stored: add rows of another class, or correct "
        f"label.column in the spec{first}"
    )
