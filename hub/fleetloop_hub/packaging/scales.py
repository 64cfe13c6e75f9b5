"""How long the windows are that devices judge."""

from fleetloop_hub.packaging.null_windows import fits
from fleetloop_hub.spec.fleet_tables import BLOCK_ROWS, FEWEST_WINDOW_ROWS

ENOUGH_WINDOWS = 20
"""Windows without overlap from which the reference speaks for itself."""

_BLOCKS = (1, 2, 4, 8, 16)


def scale_rows(window_rows: int, reference_rows: int) -> list[int]:
    """The lengths of the windows that devices judge, ascending.

    Blocks, windows of 2, 4, 8 and 16 of them as far as the reference holds two such windows, and
    the reporting window. A longer one would be compared with less than itself.

    >>> scale_rows(1024, 10_000)
    [256, 512, 1024, 2048, 4096]
    >>> scale_rows(32, 300)
    [32, 64, 128]
    """
    block = min(BLOCK_ROWS, window_rows)
    fitting = [block * n for n in _BLOCKS if reference_rows >= 2 * block * n]
    return sorted({block, window_rows, *fitting})


def shortcomings(reference_rows: int, window_rows: int) -> list[str]:
    """What a reference of this size cannot tell about its windows, in words; empty if all is well.

    >>> shortcomings(20_000, 256)
    []
    >>> shortcomings(3_000, 1024)[0]
    'the reference holds 2.9 windows of 1,024 rows: how much they differ is taken from shorter ones'
    """
    windows = reference_rows / window_rows
    if windows >= ENOUGH_WINDOWS:
        return []
    basis = (
        "thresholds are set further out to be safe"
        if fits(reference_rows, window_rows)
        else "how much they differ is taken from shorter ones"
    )
    shorter = reference_rows // ENOUGH_WINDOWS
    if shorter >= BLOCK_ROWS:
        shorter -= shorter % BLOCK_ROWS
    windows_of = f", or windows of {shorter} rows," if shorter >= FEWEST_WINDOW_ROWS else ""
    more = ENOUGH_WINDOWS * window_rows
    return [
        f"the reference holds {windows:.1f} windows of {window_rows:,} rows: {basis}",
        f"{more:,} rows{windows_of} would show how rows change while nothing drifts",
    ]
