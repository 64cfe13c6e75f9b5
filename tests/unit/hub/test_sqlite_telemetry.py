"""The telemetry database: damage, newer schemas, a full disk, and whether its indexes are used."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleetloop_hub.errors import TelemetryError
from fleetloop_hub.storage import telemetry as telemetry_module
from fleetloop_hub.storage import telemetry_digests as digests_module
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import HealthReport, Report, Sample, SampleReport
from support.hubrecords import a_drift, a_health
from support.hubweb import show_up, tell
from support.reports import labels, sample, samples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "telemetry.db"


@pytest.fixture
def telemetry(path: Path) -> Iterator[SqliteTelemetry]:
    opened = SqliteTelemetry(path)
    yield opened
    opened.close()


def _samples(seq: int, rows: int) -> tuple[str, bytes, Report]:
    samples = [
        Sample(prediction_id=f"{seq}-{n}", at=1.0, values=[0.1] * 20, score=0.5, label=1, version=1)
        for n in range(rows)
    ]
    report = SampleReport(device="a", boot=1, seq=seq, at=1.0, model="rain", samples=samples)
    return "samples", encode(report), report


def _counts(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        (reports,) = connection.execute("SELECT count(*) FROM reports").fetchone()
        (samples,) = connection.execute("SELECT count(*) FROM samples").fetchone()
    return reports, samples


def test_a_file_that_is_no_database_is_named_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(TelemetryError, match=r"telemetry\.db is damaged.*move the file away"):
        SqliteTelemetry(path)
    assert path.read_bytes() == b"no database at all" * 100


def test_a_newer_schema_is_named_and_left_alone(path: Path) -> None:
    SqliteTelemetry(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = path.read_bytes()
    with pytest.raises(TelemetryError, match=r"telemetry\.db has schema 7.*newer version"):
        SqliteTelemetry(path)
    assert path.read_bytes() == before


def test_damage_that_is_met_later_is_named(path: Path) -> None:
    telemetry = SqliteTelemetry(path)
    telemetry.store([_samples(seq, 50) for seq in range(20)])
    telemetry.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size - size // 2))
    telemetry = SqliteTelemetry(path)
    with pytest.raises(TelemetryError, match="damaged"):
        telemetry.reports("samples")
    with pytest.raises(TelemetryError, match="damaged"):
        telemetry.store([_samples(99, 50)])
    telemetry.close()


def test_a_full_disk_stores_nothing_of_the_batch_and_all_of_it_later(
    telemetry: SqliteTelemetry, path: Path
) -> None:
    telemetry.store([_samples(1, 10)])
    (pages,) = telemetry._writer.execute("PRAGMA page_count").fetchone()
    telemetry._writer.execute(f"PRAGMA max_page_count = {pages + 10}")
    with pytest.raises(DiskFullError, match="no room"):
        telemetry.store([_samples(2, 10), _samples(3, 2000)])
    assert _counts(path) == (1, 10)
    assert telemetry.report_count() == 1
    telemetry._writer.execute("PRAGMA max_page_count = 1000000")
    telemetry.store([_samples(2, 10), _samples(3, 2000)])
    assert _counts(path) == (3, 2020)


def test_a_database_that_another_process_holds_is_named(
    telemetry: SqliteTelemetry, path: Path
) -> None:
    telemetry._writer.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TelemetryError, match=r"telemetry\.db cannot be used: .*locked"):
            telemetry.store([_samples(1, 1)])
    telemetry.store([_samples(1, 1)])


def test_an_acknowledged_report_is_synced_in_write_ahead_mode(telemetry: SqliteTelemetry) -> None:
    telemetry.store([_samples(1, 1)])
    assert telemetry._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert telemetry._writer.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    ("query", "values", "index"),
    [
        (telemetry_module._REPORTS, ("drift", 0.0, 9), "reports_of_kind"),
        (telemetry_module._REPORTS_OF_DEVICE, ("a", "drift", 0.0, 9), "reports_of_device"),
        (telemetry_module._LABELLED, ("rain", 0.0), "samples_by_time"),
        (telemetry_module._LABELLED_AFTER, ("rain", 0, 9), "met_of_model"),
        (telemetry_module._LABELLED_AFTER_OF_VERSION, ("rain", 1, 0, 9), "met_of_version"),
        (telemetry_module._COUNT, ("rain",), "PRIMARY KEY"),
        (telemetry_module._COUNT_OF_VERSION, ("rain", 1), "PRIMARY KEY"),
        (telemetry_module._COUNT_WITHIN_HOUR, ("rain", 0.0, 1.0), "samples_by_time"),
        (digests_module._WINDOWS, ("a", 0, 0, 9), "PRIMARY KEY"),
        (digests_module._LATEST_REPORT, ("a", "drift"), "PRIMARY KEY"),
    ],
)
def test_a_query_is_answered_by_its_index_without_sorting(
    telemetry: SqliteTelemetry, query: str, values: tuple[str | float, ...], index: str
) -> None:
    plan = [row[3] for row in telemetry._reader.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert index in plan[0]
    for step in plan:
        assert step.startswith("SEARCH")


def test_sums_of_reports_that_came_before_sums_were_kept_are_made_up_for(path: Path) -> None:
    telemetry = SqliteTelemetry(path)
    show_up(telemetry)
    tell(telemetry, a_health(1), a_drift(2, 2.0), a_health(3))
    telemetry.store([samples(4, sample("p")), labels(5, ("p", 0))])
    told = _sums(telemetry)
    telemetry.close()
    with closing(sqlite3.connect(path)) as connection:
        for trigger in ("label_meets_its_row", "row_meets_its_label"):
            connection.execute(f"DROP TRIGGER {trigger}")
            connection.execute(
                f"CREATE TRIGGER {trigger} AFTER INSERT ON labels BEGIN SELECT 1; END"
            )
        connection.execute("DROP TRIGGER label_given_up")
        connection.execute("CREATE TABLE before AS SELECT number, device, prediction_id FROM met")
        for table in ("met", "latest", "windows", "served", "groups_answered", "labelled"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE before RENAME TO met")
        connection.execute("PRAGMA user_version = 4")
        connection.commit()
    again = SqliteTelemetry(path)
    assert _sums(again) == told
    again.store([samples(6, sample("q", label=0), device="b"), labels(7, ("q", 0), device="b")])
    assert again.labelled_count("rain") == (2, 1)
    again.close()


def _sums(telemetry: SqliteTelemetry) -> list[object]:
    digests = telemetry.digests
    return [
        digests.windows("station-1"),
        digests.served("station-1"),
        digests.latest("station-1", HealthReport),
        digests.labelled(),
        telemetry.labelled_count("rain", since=0.0),
        telemetry.labelled_after("rain", 0),
    ]
