"""Whatever the rows, no part of a split is older than the part before."""

import msgspec
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.training.split import split
from support.learnable import toy_spec


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.integers(0, 30).map(float)),
    st.integers(0, 60),
    st.floats(0.05, 0.5),
)
def test_no_part_of_a_split_is_older_than_the_part_before(
    at: npt.NDArray[np.float64], sources: int, held_out: float
) -> None:
    rows = len(at)
    device = np.array(["" if index < sources else "s-1" for index in range(rows)], np.str_)
    at = np.concatenate([np.sort(at[:sources]), np.sort(at[sources:])]).astype(np.float64)
    label = (np.arange(rows) % 2).astype(np.float64)
    frame = Frame(np.zeros((rows, 2), np.float32), label, at, at, device, {})
    spec = toy_spec()
    gates = msgspec.structs.replace(spec.gates, held_out=held_out)
    try:
        parts = split(frame, msgspec.structs.replace(spec, gates=gates))
    except TrainingError:
        return
    pieces = [parts.train, parts.validation, parts.held_out]
    assert sum(map(len, pieces)) == rows
    for older, newer in ((pieces[0], pieces[1]), (pieces[1], pieces[2])):
        last = (bool(older.device[-1]), older.at[-1])
        assert last < (bool(newer.device[0]), newer.at[0])
    np.testing.assert_array_equal(np.concatenate([p.at for p in pieces]), at)
