"""Whatever bytes come, a foreign file is read or refused; nothing else happens."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_adapting import raw_file
from fleetloop_hub.packaging.foreign_form import Ask, find_form
from fleetloop_hub.packaging.foreign_graph import kernel
from fleetloop_hub.packaging.foreign_reading import read
from support.onnx_files import linear

WHOLE = linear().SerializeToString()


def taken(data: bytes) -> None:
    with contextlib.suppress(ModelFileError):
        model = read(data)
        form = find_form(model, Ask(3, "classification"))
        raw_file(kernel(model, form), form, 3)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    taken(data)


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=6), st.integers(0, 6))
def test_a_model_that_was_damaged_anywhere(place: int, put: bytes, gone: int) -> None:
    taken(WHOLE[:place] + put + WHOLE[place + gone :])
