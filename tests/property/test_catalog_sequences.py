"""Whatever is kept, together or alone, a catalog opened again holds what the last one held."""

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.records import Alias, Model
from fleetloop_hub.storage.catalog import TinyDbCatalog

keys = st.sampled_from(["a", "b", "c"])
models = st.builds(
    Model, key=keys, spec=st.text(max_size=5), floor=st.integers(0, 9), added_at=st.just(1.0)
)
aliases = st.builds(Alias, key=keys, version=st.integers(1, 9))
puts = st.lists(st.lists(models | aliases, min_size=1, max_size=4), max_size=8)


@settings(deadline=None, max_examples=40)
@given(puts)
def test_what_was_kept_is_there_again(steps: list[list[Model | Alias]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = TinyDbCatalog(folder)
        for step in steps:
            catalog.put(*step)
        held = msgspec.json.encode([catalog.all(Model), catalog.all(Alias)])
        catalog.close()
        again = TinyDbCatalog(folder)
        assert msgspec.json.encode([again.all(Model), again.all(Alias)]) == held
        again.close()
