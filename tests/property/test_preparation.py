"""Whatever stands in a spec or a CSV file: it is used, quarantined, or refused by name."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleetloop_hub.data import build, parquet
from fleetloop_hub.data.finish import Built
from fleetloop_hub.errors import DataError, SpecError
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from support.learnable import SPEC, toy_spec

_FOLDER = settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

T = TypeVar("T")

scalars = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(st.characters(codec="ascii", exclude_characters='"\\\n\r'), max_size=8)
)
fields = st.sampled_from(["", "1", "-0.5", "nan", "inf", "1e400", "0", "x", "2020-01-01", "1_0"])


def outcome(action: Callable[[], T]) -> tuple[T | None, str]:
    """What came of it, or the text of the refusal."""
    try:
        return action(), ""
    except (DataError, SpecError) as error:
        return None, str(error)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


@given(st.text())
@example("a = " + "[" * 5000)
def test_any_text_is_a_spec_or_is_refused(text: str) -> None:
    spec, refusal = outcome(lambda: parse(text))
    assert isinstance(spec, ModelSpec) or refusal.startswith("model spec: ")


@given(
    st.sampled_from(["model", "source", "budget", "gates", "rollout", "retrain", "zoo"]),
    st.sampled_from(["name", "seed", "floor", "metric", "phases", "window", "soak_s", "low", "q"]),
    scalars | st.lists(scalars, max_size=3),
)
def test_any_value_of_any_key_is_taken_or_refused_by_its_name(
    table: str, key: str, value: object
) -> None:
    written = f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else toml(value)
    base = SPEC if table in {"budget", "gates", "rollout", "retrain", "zoo"} else ""
    spec, refusal = outcome(lambda: parse(f"{base}\n[{table}]\n{key} = {written}\n"))
    if spec is None:
        assert any(word in refusal for word in (table, "not TOML", "missing"))
    else:
        assert getattr(getattr(spec, table), key) == value


def built(folder: Path, data: bytes) -> Built | None:
    (folder / "toy.csv").write_bytes(data)
    found: Built | None
    found = build.from_sources(toy_spec(), folder, folder / "work", None, lambda share, text: None)
    return found


@_FOLDER
@given(st.binary(max_size=200))
@example(b'1,2,3,1\n\r"\x00,\r\n')
def test_any_bytes_are_rows_or_a_refusal(tmp_path: Path, data: bytes) -> None:
    found, refusal = outcome(lambda: built(tmp_path, b"t,a,b,y\n" + data))
    assert "toy.csv" in refusal or (found is not None and found.dataset.rows)


@_FOLDER
@given(st.lists(st.text(st.sampled_from('0123,"x \t-.é\0'), max_size=12), max_size=12))
def test_every_line_is_a_row_or_kept_out_once(tmp_path: Path, lines: list[str]) -> None:
    """Without quotes that reach over lines, every line that is not blank is accounted for."""
    text = "\n".join(["t,a,b,y", "1,1,1,1", *lines]) + "\n"
    found, refusal = outcome(lambda: built(tmp_path, text.encode()))
    assert found is not None, refusal
    dataset = found.dataset
    rows = dataset.rows + dataset.waiting + dataset.quarantined_rows
    assert rows == dataset.sources[0].rows
    if '"' not in text:
        assert rows == 1 + sum(bool(line) for line in lines)


@_FOLDER
@given(st.lists(st.tuples(fields, fields, fields, fields), max_size=8))
def test_no_row_is_ever_dropped_silently(
    tmp_path: Path, table: list[tuple[str, str, str, str]]
) -> None:
    lines = ["1,1,1,1", *(",".join(row) for row in table)]
    found, refusal = outcome(lambda: built(tmp_path, "\n".join(["t,a,b,y", *lines]).encode()))
    assert found is not None, refusal
    kept = parquet.read_frame(found.rows, toy_spec())
    assert len(kept) + found.dataset.quarantined_rows == len(lines)
    assert np.isfinite(kept.at).all()
    assert np.isfinite(kept.label).all()
    assert not np.isinf(kept.values).any()


rows_of_any_kind = st.lists(
    st.tuples(
        st.floats(-1e9, 1e9),
        st.sampled_from([0.0, 1.0, math.nan]),
        st.floats(width=32),
        st.sampled_from(["", "s-1", "s-2"]),
        st.text(st.characters(codec="utf-8"), max_size=5),
    ),
    max_size=30,
)


@_FOLDER
@given(rows_of_any_kind)
def test_a_version_gives_back_what_was_put_in(
    tmp_path: Path, rows: list[tuple[float, float, float, str, str]]
) -> None:
    form = parquet.dataset_schema(toy_spec())
    at, label, value, device, origin = zip(*rows, strict=True) if rows else ((),) * 5
    blank = pa.array([""] * len(rows), pa.string())
    columns = [at, label, at, list(device), blank, list(origin), blank, value, value]
    table = pa.table(
        [
            c if isinstance(c, pa.Array) else pa.array(list(c), f.type)
            for c, f in zip(columns, form, strict=True)
        ],
        schema=form,
    )
    writers = [parquet.Writer(tmp_path / name, form) for name in ("whole", "halves")]
    writers[0].write(table)
    writers[1].write(table.slice(0, len(rows) // 2))
    writers[1].write(table.slice(len(rows) // 2))
    for writer in writers:
        writer.close()
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "halves").read_bytes()
    frame = parquet.read_frame(tmp_path / "whole", toy_spec())
    known = ~np.isnan(np.array(label, float))
    np.testing.assert_array_equal(frame.values[:, 0], np.array(value, np.float32)[known])
    assert frame.device.tolist() == [d for d, k in zip(device, known, strict=True) if k]
