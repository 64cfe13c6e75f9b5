"""Says how many of a run's rows are from the field, and how much of them one device is."""

import numpy as np
import numpy.typing as npt


def field_note(devices: npt.NDArray[np.str_]) -> list[str]:
    """One note, or none where no device has sent a row.

    Args:
        devices: Who saw each row, "" for a source.

    Examples:
        >>> print(*field_note(np.array(["", "s1", "s1", "s2"])))
        3 of 4 rows are from the field, of 2 devices; the most of one is 66.7 % of them (s1)
        >>> field_note(np.array(["", ""]))
        []
    """
    names, counts = np.unique(devices[devices != ""], return_counts=True)
    if not len(names):
        return []
    rows, largest = int(counts.sum()), int(counts.argmax())
    share = 100 * counts[largest] / rows
    whose = f"{len(names):,} device{'s' if len(names) > 1 else ''}"
    said = f"{rows:,} of {len(devices):,} rows are from the field, of {whose}; the most of one is"
    return [f"{said} {share:.1f} % of them ({names[largest]})"]
