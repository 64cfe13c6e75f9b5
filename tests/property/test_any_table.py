"""Whatever kinds of values stand in a table: each row is used or kept out, once."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleetloop_hub.data import build, parquet, quarantine
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.model_spec import ModelSpec
from support.tables_in import COLUMNS, spec_of

MORE = '[[slices]]\ncolumn = "a"\n[[rules]]\nname = "r"\ncheck = "a < 5 or a + t > 0"\n'
KEYED = COLUMNS.replace('time = "t"', 'time = "t"\nkey = "place"') + MORE

_FEW = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["", "1", "1.0", "hill", "2024-01-01", "nan", "-0", "0x10", "٣", "1e5"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=1)
)
rows_of_values = st.lists(
    st.fixed_dictionaries({"t": values, "a": values, "place": values, "y": values}), max_size=8
)


def accounted(folder: Path, spec: ModelSpec, count: int) -> None:
    """Every one of `count` rows is usable or kept out; what is usable is sound."""
    try:
        built = build.from_sources(spec, folder, folder / "work", None, lambda share, text: None)
    except DataError as error:
        assert "no row is left" in str(error) or "no object" in str(error)  # noqa: PT017  # its text
        return
    assert built is not None
    frame = parquet.read_frame(built.rows, spec)
    kept_out = [] if built.quarantine is None else list(quarantine.read(built.quarantine))
    refused = [row for part in kept_out for row in part]
    origins = pq.read_table(built.rows, columns=["origin"]).column("origin").to_pylist()
    assert sorted([*origins, *(row.origin for row in refused)], key=int) == [
        str(n + 1) for n in range(count)
    ]
    assert all(row.reasons and row.raw for row in refused)
    assert built.dataset.rows == len(frame)
    assert np.isfinite(frame.at).all()
    assert np.isfinite(frame.label).all()
    assert not np.isinf(frame.values).any()
    assert (np.diff(frame.at) >= 0).all()
    assert set(np.unique(frame.values[:, 1][~np.isnan(frame.values[:, 1])])) <= {-1, 0, 1, 2}


@_FEW
@given(rows_of_values)
@example([{"t": math.nan, "a": math.inf, "place": math.nan, "y": -math.inf}] * 3)
def test_json_lines(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    good = {"t": 1, "a": 1, "place": "unlike", "y": 1}
    lines = [json.dumps(row) for row in [good, *rows]]
    (tmp_path / "toy.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    accounted(tmp_path, spec_of('jsonl = "toy.jsonl"', KEYED), len(lines))


kinds = st.sampled_from(
    [
        pa.int8(),
        pa.uint64(),
        pa.float16(),
        pa.float64(),
        pa.bool_(),
        pa.string(),
        pa.large_string(),
        pa.binary(),
        pa.null(),
        pa.date32(),
        pa.time64("us"),
        pa.timestamp("ns"),
        pa.timestamp("s", "UTC"),
        pa.duration("s"),
        pa.decimal128(25, 3),
        pa.list_(pa.int8()),
        pa.struct([("u", pa.int8())]),
        pa.dictionary(pa.int8(), pa.string()),
    ]
)


def array(  # noqa: PLR0911  # one a kind
    kind: pa.DataType, numbers: list[int | None]
) -> pa.Array:
    """Some values of a kind."""
    if pa.types.is_dictionary(kind):
        return array(pa.string(), numbers).dictionary_encode()
    if pa.types.is_list(kind):
        return pa.array([None if n is None else [n] for n in numbers], kind)
    if pa.types.is_struct(kind):
        return pa.array([None if n is None else {"u": n} for n in numbers], kind)
    if pa.types.is_binary(kind):
        return pa.array([None if n is None else bytes([255, n]) for n in numbers], kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.array([None if n is None else str(n) for n in numbers], kind)
    if pa.types.is_null(kind):
        return pa.nulls(len(numbers))
    if pa.types.is_floating(kind):
        return pa.array([None if n is None else float(n) for n in numbers], pa.float64()).cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array([None if n is None else bool(n % 2) for n in numbers], kind)
    narrow = pa.array(numbers, pa.int32() if kind.bit_width <= 32 else pa.int64())
    return narrow.cast(kind)


@_FEW
@given(
    st.tuples(kinds, kinds, kinds, kinds),
    st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=6),
)
def test_parquet(tmp_path: Path, types: tuple[Any, ...], numbers: list[int | None]) -> None:
    names = ["t", "a", "place", "y"]
    table = pa.table(dict(zip(names, (array(kind, numbers) for kind in types), strict=True)))
    pq.write_table(table, tmp_path / "toy.parquet")
    accounted(tmp_path, spec_of('parquet = "toy.parquet"', COLUMNS + MORE), len(numbers))
