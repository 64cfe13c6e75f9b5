"""Sources: the same rows in any form are the same version, and only what is new is read."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetloop_hub.data import parquet_source, quarantine
from fleetloop_hub.errors import DataError
from support.tables_in import (
    COLUMNS,
    SOURCES,
    Shelf,
    rows_up_to,
    spec_of,
    write_csv,
    write_jsonl,
    write_parquet,
    write_sqlite,
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize("form", SOURCES)
def test_every_form_gives_the_same_rows(shelf: Shelf, form: str) -> None:
    name, write, source = SOURCES[form]
    write(shelf.folder / name, rows_up_to(8))
    made = shelf.add(spec_of(source))
    assert made is not None
    table = shelf.table(made)
    assert table.column("at").to_pylist() == list(range(8))
    assert table.column("label").to_pylist() == [0, 1] * 4
    a = table.column("x.a").to_pylist()
    assert a[:4] == [0, 0.5, 1, 1.5]
    assert str(a[4]) == "nan"
    assert [str(v) for v in table.column("x.place").to_pylist()] == [
        "0.0",
        "2.0",
        "nan",
        "-1.0",
    ] * 2
    assert made.quarantined == {}


@pytest.mark.parametrize("form", SOURCES)
def test_only_what_is_new_is_read(shelf: Shelf, form: str) -> None:
    name, write, source = SOURCES[form]
    spec = spec_of(source)
    write(shelf.folder / name, rows_up_to(6))
    first = shelf.add(spec)
    assert first is not None
    assert shelf.add(spec) is None
    write(shelf.folder / name, rows_up_to(9))
    second = shelf.add(spec)
    assert second is not None
    assert (second.parent, second.rows, second.sources[0].rows) == (first.key, 9, 9)
    read_anew = [name] if form in {"gzip", "parquet"} else []
    assert (second.added, second.gone, second.read_anew) == (3, 0, read_anew)
    assert shelf.add(spec) is None
    at_once = Shelf(shelf.folder / "at-once")
    at_once.folder.mkdir(exist_ok=True)
    write(at_once.folder / name, rows_up_to(9))
    whole = at_once.add(spec)
    assert whole is not None
    assert whole.key == second.key, "equal rows give equal bytes, however they came"


def test_a_file_that_was_corrected_replaces_its_rows(shelf: Shelf) -> None:
    spec = spec_of('csv = "toy.csv"')
    rows = rows_up_to(6)
    write_csv(shelf.folder / "toy.csv", [*rows, {**rows[0], "t": "bad"}])
    first = shelf.add(spec)
    write_csv(shelf.folder / "toy.csv", rows)
    second = shelf.add(spec)
    assert first is not None
    assert second is not None
    assert (first.quarantined_rows, second.quarantined_rows, second.rows) == (1, 0, 6)
    assert second.quarantine is None


def test_a_last_line_that_was_half_written_is_read_again(shelf: Shelf) -> None:
    spec = spec_of('csv = "toy.csv"')
    path = shelf.folder / "toy.csv"
    path.write_text("t,a,place,y\n1,1,1,0\n2,2,1,1\n3,4", "utf-8")
    first = shelf.add(spec)
    path.write_text("t,a,place,y\n1,1,1,0\n2,2,1,1\n3,45,1,0\n4,1,1,1\n", "utf-8")
    second = shelf.add(spec)
    assert first is not None
    assert second is not None
    assert (first.rows, first.quarantined_rows) == (2, 1)
    assert (second.rows, second.quarantined_rows) == (4, 0)
    assert shelf.table(second).column("x.a").to_pylist() == [1, 2, 45, 1]


def test_lines_are_numbered_on_in_what_was_appended(shelf: Shelf) -> None:
    spec = spec_of('csv = "toy.csv"')
    path = shelf.folder / "toy.csv"
    path.write_text('\n\nt,a,place,y\n1,1,"1",0\n\n2,2,1,1\n', "utf-8")
    shelf.add(spec)
    with path.open("a", encoding="utf-8") as file:
        file.write('3,1,"hi\nll",0\nx,1,1,1\n')
    made = shelf.add(spec)
    assert made is not None
    assert shelf.table(made).column("origin").to_pylist() == ["4", "6", "7"]
    assert [fault.examples for fault in made.faults] == [["toy.csv line 9: x,1,1,1"]]


def test_each_file_of_a_folder_is_read_once(shelf: Shelf) -> None:
    logs = shelf.folder / "logs"
    logs.mkdir()
    spec = spec_of('folder = "logs"\npattern = "*.*"')
    with pytest.raises(DataError, match="holds no file"):
        shelf.add(spec)
    write_csv(logs / "monday.csv", rows_up_to(3))
    first = shelf.add(spec)
    write_parquet(logs / "tuesday.parquet", rows_up_to(4))
    (logs / ".tuesday.part").write_text("half", "utf-8")
    second = shelf.add(spec)
    (logs / "monday.csv").unlink()
    assert shelf.add(spec) is None
    assert first is not None
    assert second is not None
    assert (first.rows, second.rows, second.added) == (3, 7, 4)
    assert [mark.words for mark in second.sources] == ["logs/monday.csv", "logs/tuesday.parquet"]
    (logs / "notes.doc").write_text("not rows", "utf-8")
    with pytest.raises(DataError, match=r"logs/notes.doc: the ending '.doc' says nothing"):
        shelf.add(spec)


def test_a_source_that_the_spec_no_longer_names_takes_its_rows_along(shelf: Shelf) -> None:
    write_csv(shelf.folder / "one.csv", rows_up_to(3))
    write_csv(shelf.folder / "two.csv", rows_up_to(4))
    both = shelf.add(spec_of('csv = "one.csv"\n[[sources]]\ncsv = "two.csv"'))
    less = shelf.add(spec_of('csv = "two.csv"'))
    assert both is not None
    assert less is not None
    assert (both.rows, less.rows, [m.words for m in less.sources]) == (7, 4, ["two.csv"])


def test_another_rule_reads_everything_anew(shelf: Shelf) -> None:
    write_csv(shelf.folder / "toy.csv", rows_up_to(6))
    shelf.add(spec_of('csv = "toy.csv"'))
    rule = '[[rules]]\nname = "small"\ncheck = "a < 1.4 and not t == 1"\n'
    made = shelf.add(spec_of('csv = "toy.csv"', COLUMNS + rule))
    assert made is not None
    assert made.quarantined == {"rule small does not hold": 3}
    assert made.parent == shelf.versions[0].key


def test_a_query_without_since_is_asked_again_and_compared(shelf: Shelf) -> None:
    spec = spec_of('query = "SELECT * FROM toy ORDER BY t"\ndatabase = "sqlite:///toy.db"')
    write_sqlite(shelf.folder / "toy.db", rows_up_to(4))
    assert shelf.add(spec) is not None
    assert shelf.add(spec) is None
    write_sqlite(shelf.folder / "toy.db", rows_up_to(5))
    made = shelf.add(spec)
    assert made is not None
    assert (made.rows, made.quarantined) == (5, {})


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('query = "SELECT 1"\ndatabase = "sqlite:///gone.db"', "there is no gone.db"),
        ('query = "SELEC"\ndatabase = "sqlite:///toy.db"', "syntax error; nothing was stored"),
        ('query = "SELECT t, a, y FROM toy"\ndatabase = "sqlite:///toy.db"', "'place' is missing"),
        ('query = "SELECT 1"\ndatabase = "nosql://x"', "nothing was stored"),
        ('query = "SELECT 1"\ndatabase = "not a url"', "nothing was stored"),
        ('parquet = "toy.csv"', "is no Parquet file, or a damaged one"),
        ('parquet = "cut.parquet"', "is no Parquet file, or a damaged one"),
        ('parquet = "narrow.parquet"', "column 'place' is missing; the header has t, a, y"),
        ('jsonl = "empty.jsonl"', "empty.jsonl is empty"),
        ('jsonl = "other.jsonl"', "no object has the key 't'; they have u"),
        ('csv = "toy.parquet"', 'write parquet = "…" in the spec'),
        ('csv = "cut.csv.gz"', "cut.csv.gz: "),
        ('csv = "toy.csv"\n[[sources]]\ncsv = "toy.csv"', "stands twice under"),
        ('folder = "nowhere"', "there is no folder 'nowhere'"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_with_the_remedy(
    shelf: Shelf, source: str, says: str
) -> None:
    rows = rows_up_to(40)
    write_csv(shelf.folder / "toy.csv", rows)
    write_sqlite(shelf.folder / "toy.db", rows)
    write_parquet(shelf.folder / "toy.parquet", rows)
    write_jsonl(shelf.folder / "other.jsonl", [{"u": 1}])
    (shelf.folder / "empty.jsonl").write_bytes(b"")
    whole = (shelf.folder / "toy.parquet").read_bytes()
    (shelf.folder / "cut.parquet").write_bytes(whole[: len(whole) // 2] + whole[-300:])
    pq.write_table(pa.table({"t": [1], "a": [1], "y": [1]}), shelf.folder / "narrow.parquet")
    packed = gzip.compress((shelf.folder / "toy.csv").read_bytes())
    (shelf.folder / "cut.csv.gz").write_bytes(packed[:-9])
    with pytest.raises(DataError) as caught:
        shelf.add(spec_of(source))
    assert says in str(caught.value)
    assert not list((shelf.folder / "blobs").rglob("*"))


def test_a_password_is_never_told(shelf: Shelf) -> None:
    source = 'query = "SELECT 1"\ndatabase = "mysql+nodriver://me:geheim@host/db"'
    with pytest.raises(DataError) as caught:
        shelf.add(spec_of(source))
    assert "geheim" not in str(caught.value)


def test_a_parquet_bomb_is_refused_by_what_it_says_of_itself(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = pa.array([0.0] * 200_000)
    table = pa.table({"t": zeros, "a": zeros, "place": zeros, "y": zeros})
    pq.write_table(table, shelf.folder / "bomb.parquet", compression="zstd", use_dictionary=False)
    assert (shelf.folder / "bomb.parquet").stat().st_size < 10_000
    monkeypatch.setattr(parquet_source, "MOST_GROUP_BYTES", 2**22)
    with pytest.raises(DataError, match=r"a row group unpacks to 6 MB and 200,000 rows; 4 MB"):
        shelf.add(spec_of('parquet = "bomb.parquet"'))
    monkeypatch.setattr(parquet_source, "MOST_GROUP_BYTES", 2**31)
    monkeypatch.setattr(parquet_source, "MOST_GROUP_ROWS", 100_000)
    with pytest.raises(DataError, match="smaller row groups"):
        shelf.add(spec_of('parquet = "bomb.parquet"'))


def test_lines_that_are_no_objects_are_kept_out(shelf: Shelf) -> None:
    text = '{"t": 1, "a": 1, "place": 2, "y": 0}\n[1]\n{"t": 2\n\n{"t": 2, "a": "x", "y": 1}\n'
    (shelf.folder / "toy.jsonl").write_text(text, "utf-8")
    made = shelf.add(spec_of('jsonl = "toy.jsonl"'))
    assert made is not None
    assert made.quarantined == {"a not a number": 1, "not a JSON object": 2}
    assert made.quarantine is not None
    kept = [r for part in quarantine.read(shelf.blobs.path(made.quarantine)) for r in part]
    assert [(row.origin, row.raw) for row in kept] == [
        ("2", "[1]"),
        ("3", '{"t": 2'),
        ("5", '{"t": 2, "a": "x", "y": 1}'),
    ]


def test_a_second_row_of_a_name_is_kept_out_also_later(shelf: Shelf) -> None:
    columns = COLUMNS.replace('time = "t"', 'time = "t"\nkey = "id"')
    spec = spec_of('csv = "toy.csv"', columns)
    path = shelf.folder / "toy.csv"
    path.write_text("id,t,a,place,y\nu,1,1,1,0\nv,bad,1,1,0\nv,2,1,1,1\nu,3,1,1,1\n", "utf-8")
    first = shelf.add(spec)
    with path.open("a", encoding="utf-8") as file:
        file.write("u,4,1,1,0\nw,5,1,1,1\n,6,1,1,1\n")
    second = shelf.add(spec)
    assert first is not None
    assert second is not None
    assert first.quarantined == {"id stands twice": 1, "t not a number, date or time": 1}
    assert second.quarantined == first.quarantined | {"id stands twice": 2, "no id": 1}
    assert shelf.table(second).column("key").to_pylist() == ["u", "v", "w"]


def test_a_rule_that_stops_names_the_first_rows(shelf: Shelf) -> None:
    write_csv(shelf.folder / "toy.csv", rows_up_to(6))
    rule = '[[rules]]\nname = "small"\ncheck = "a * 2 < 4"\nfailing = "stop"\n'
    with pytest.raises(DataError, match=r"'small' .* 1 rows, and it stops; .* line 7: 5,2.5"):
        shelf.add(spec_of('csv = "toy.csv"', COLUMNS + rule.replace("< 4", "< 5")))
    assert shelf.versions == []
