"""Whatever stands in a spec or a CSV file: it is used, quarantined, or refused by name."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleetloop_hub.data import csv_source, parquet
from fleetloop_hub.data.row import Row
from fleetloop_hub.errors import DataError, SpecError
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from support.learnable import SPEC, toy_spec

_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

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


@_FOLDER
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_refusal(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "any.csv").write_bytes(b"t,a,b,y\n" + data)
    rows, refusal = outcome(lambda: list(csv_source.read(tmp_path / "any.csv", toy_spec())))
    assert "any.csv" in refusal or all(len(row.values) == 2 for row in rows or [])


@_FOLDER
@given(st.lists(st.tuples(fields, fields, fields, fields), max_size=8))
def test_no_row_is_ever_dropped_silently(
    tmp_path: Path, table: list[tuple[str, str, str, str]]
) -> None:
    lines = [",".join(row) for row in table]
    (tmp_path / "some.csv").write_text("\n".join(["t,a,b,y", *lines]) + "\n")
    rows, refusal = outcome(lambda: list(csv_source.read(tmp_path / "some.csv", toy_spec())))
    if rows is None:
        assert "line" in refusal
        return
    assert len(rows) == len(table)
    for row in rows:
        usable = math.isfinite(row.at) and row.label is not None
        usable = usable and not any(math.isinf(v) or abs(v) > 1e38 for v in row.values)
        assert usable or row.fault


rows_of_any_kind = st.lists(
    st.builds(
        Row,
        at=st.floats(-1e9, 1e9) | st.just(math.nan),
        label=st.none() | st.integers(0, 1),
        values=st.tuples(st.floats(width=32), st.floats(width=32)),
        device=st.sampled_from(["", "s-1", "s-2"]),
        origin=st.text(st.characters(codec="utf-8"), max_size=5),
        fault=st.sampled_from(["", "", "bad"]),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(rows_of_any_kind)
def test_a_version_gives_back_what_was_put_in(rows: list[Row]) -> None:
    found = parquet.decode(parquet.encode(rows, ["a", "b"], "m"), ["a", "b"])
    assert repr(found) == repr(rows)
