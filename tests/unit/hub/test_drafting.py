"""A drafted spec: what is guessed from data is sound, explained, and always a spec."""

import contextlib
import csv
import gzip
import json
import random
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import datasets

from fleetloop_hub.drafting import sample
from fleetloop_hub.drafting.draft import draft
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.data_tables import MOST_FEATURES
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.problems import unknown_columns
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.spec.scalars import Task
from support.learnable import WEATHER


def write(path: Path, header: list[str], rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def drafted(
    path: Path, label: str | None = None, task: Task | None = None
) -> tuple[ModelSpec, str]:
    """The spec that is drafted from a file; it must hold, and name columns that are there."""
    text = draft("m", path, path.parent, label, task)
    spec = parse(text)
    delimiter = spec.sources[0].delimiter
    assert list(unknown_columns(spec, sample.names(path, delimiter))) == []
    return spec, text


@pytest.mark.parametrize(
    ("name", "task", "classes", "metric"),
    [
        ("iris", "classification", 3, "accuracy"),
        ("wine", "classification", 3, "accuracy"),
        ("breast_cancer", "classification", 2, "accuracy"),
        ("digits", "classification", 10, "accuracy"),
        ("diabetes", "regression", 0, "r2"),
    ],
)
def test_known_data_sets_are_understood(
    tmp_path: Path, name: str, task: str, classes: int, metric: str
) -> None:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame.to_csv(tmp_path / "d.csv", index=False)
    spec, text = drafted(tmp_path / "d.csv")
    assert (spec.model.task, len(spec.label.classes)) == (task, classes)
    assert (spec.label.column, spec.gates.metric) == ("target", metric)
    assert ("sorted by target" in text) == spec.rows.shuffle == (name in {"iris", "wine"})
    assert spec.rows.time is None


def test_weather_is_ordered_by_day_and_measured_in_units() -> None:
    spec, text = drafted(WEATHER / "noaa_weather.csv")
    assert (spec.rows.time, spec.label.column, spec.label.positive) == ("day", "rain", 1)
    assert {f.name: f.unit for f in spec.features}["sea_level_pressure_hpa"] == "hPa"
    assert all(f.low is None and f.high is None for f in spec.features)
    assert "# low = " in text


def test_sensitive_codes_become_groups(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [
        [rng.randint(16, 95), rng.choice([1, 2]), rng.choice([1, 2]), rng.randint(1, 9), k % 2, k]
        for k in range(500)
    ]
    header = ["AGEP", "DIS", "SEX", "RAC1P", "employed", "when"]
    spec, text = drafted(write(tmp_path / "d.csv", header, rows))
    assert spec.fairness.groups == ["DIS", "SEX", "RAC1P"]
    assert spec.fairness.true_positive_gap == 0.1
    assert {f.name: f.kind for f in spec.features} == {
        "AGEP": "number",
        "DIS": "category",
        "SEX": "category",
        "RAC1P": "category",
    }
    assert "too many values to compare: AGEP" in text


def test_texts_dates_keys_and_useless_columns_are_told_apart(tmp_path: Path) -> None:
    header = ["event_id", "seen_at", "city", "note", "temp_c", "same", "none", "diagnosis"]
    rows = [
        [f"e{k}", f"2024-01-{k % 28 + 1:02}T10:00:00", "AB"[k % 2], f"n {k // 2}", k / 3, 1, "", d]
        for k, d in enumerate(["sick", "well", "well", "well"] * 30)
    ]
    spec, text = drafted(write(tmp_path / "d.csv", header, rows))
    assert (spec.rows.key, spec.rows.time) == ("event_id", "seen_at")
    assert (spec.label.classes, spec.label.positive) == (["sick", "well"], "sick")
    assert spec.gates.metric == "balanced_accuracy"
    assert {f.name: f.kind for f in spec.features} == {"city": "category", "temp_c": "number"}
    for reason in ("'note' holds 60", "'same' is always '1'", "'none' has no value"):
        assert reason in text


def test_forms_give_the_same_spec(tmp_path: Path) -> None:
    table = {"a": [1.5, None, 3.5, 4.0] * 10, "b": ["x", "y", "x", None] * 10, "y": [0, 1] * 20}
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    path = write(tmp_path / "d.csv", list(table), (r.values() for r in rows))
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    lines = "\n".join(json.dumps(row) for row in rows)
    (tmp_path / "d.jsonl").write_text(lines)
    pq.write_table(pa.table(table), tmp_path / "d.parquet")
    specs = [drafted(tmp_path / name)[0] for name in ("d.csv", "d.csv.gz", "d.jsonl", "d.parquet")]
    assert [s.features for s in specs] == [specs[0].features] * 4
    assert [s.label for s in specs] == [specs[0].label] * 4
    assert specs[0].features[1].categories == ["x", "y"]


def test_other_delimiters_and_a_byte_order_mark_are_seen(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("\ufeffa;b,c;y\n" + "1,5;2;0\n2,5;1;1\n" * 20, "utf-8")
    spec, _ = drafted(tmp_path / "d.csv")
    assert spec.sources[0].delimiter == ";"
    assert [f.name for f in spec.features] == ["a", "b,c"]


def test_wide_files_are_read_in_part_and_drafted(tmp_path: Path) -> None:
    header = [*(f"s{k}" for k in range(1_200)), "y"]
    rows = ([k * j % 97 for j in range(1_200)] + [k % 2] for k in range(30))
    spec, text = drafted(write(tmp_path / "d.csv", header, rows))
    assert len(spec.features) == MOST_FEATURES
    assert "comes after the 512 features that a device can watch" in " ".join(text.split(" # "))
    big = sample.read(write(tmp_path / "e.csv", header[:-1], ([1] * 1_200 for _ in range(3_500))))
    assert (big.rows, big.whole) == (3_333, False)


def test_label_and_task_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", ["a", "b", "c"], ([k % 3, k, k / 2] for k in range(60)))
    assert drafted(path, label="a")[0].label.classes == ["0", "1", "2"]
    assert drafted(path, label="a", task="regression")[0].gates.metric == "r2"
    spec, _ = drafted(path, task="anomaly")
    assert spec.label.column is None
    assert {c.family for c in spec.candidates} == {"isolation-forest", "one-class-svm"}
    with pytest.raises(DataError, match="no column is called 'zz'; there are a, b, c"):
        drafted(path, label="zz")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("d.csv", b"", "empty"),
        ("d.csv", b"a,b\n", "no rows"),
        ("d.csv", b"a,b\n\xff\xfe\xff,1\n", r"d\.csv"),
        ("d.csv.gz", b"not gzip", r"d\.csv\.gz"),
        ("d.parquet", b"PAR1", r"d\.parquet"),
        ("d.jsonl", b"[1]\n", "line 1"),
        ("d.csv", b"y\n0\n1\n", "no column is left"),
        ("d.csv", b",".join(b"c%d" % k for k in range(5_000)) + b"\n" + b"," * 4_999, "5,000 col"),
    ],
)
def test_files_that_say_nothing_are_refused(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=says):
        draft("m", tmp_path / name, tmp_path, None, None)


cells = st.sampled_from(
    ["", "1", "0", "-2.5", "1e999", "nan", "x", 'q"\\', "2020-01-01", "é\t", "7"]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=5),
    st.lists(st.lists(cells, min_size=5, max_size=5), min_size=1, max_size=30),
    st.sampled_from([None, "anomaly", "regression", "classification"]),
)
def test_any_table_gives_a_spec_or_a_reason(
    tmp_path: Path, header: list[str], rows: list[list[str]], task: Task | None
) -> None:
    path = write(tmp_path / "d.csv", header, (row[: len(header)] for row in rows))
    with contextlib.suppress(DataError):
        drafted(path, task=task)


def test_what_stands_for_a_missing_number_is_no_category(tmp_path: Path) -> None:
    rows = [["NA" if k % 7 == 0 else k / 2, "NA" if k % 5 == 0 else "x", k % 2] for k in range(70)]
    spec, text = drafted(write(tmp_path / "d.csv", ["n", "t", "y"], rows))
    assert [f.kind for f in spec.features] == ["number", "category"]
    assert spec.features[1].categories == ["NA", "x"]
    assert "missing in 14.3% of the rows" in text
