"""Whatever must last is written by the durable module: anything else that writes is listed here."""

from functools import cache
from pathlib import Path

import pytest

from support.writing_calls import METHODS, WRITERS, writing_calls

ROOT = Path(__file__).parents[2]
PARTS = ("agent", "shared", "hub")

_SOCKET = "a Unix socket: of no use once its agent has ended"
_SQLITE = "SQLite's own file, with its own journal: WAL, synchronous = FULL"
_LOCK = "a lock that ends with its process needs a descriptor; nothing relies on what the file says"
_JOB = "a job's own folder: emptied before it begins, and of no use once it has ended"
_ASKED = "a file that a person names on the command line: parts of it, before durable names them"
_SCRATCH = "a temporary folder, for a library that can only write files, gone with the function"
_MEMORY = "writes into memory"

EXCEPTIONS = {
    ("shared/fleetloop_shared/durable.py", "os.open"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", "os.pwrite"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", ".replace"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", ".rename"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", ".unlink"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", ".mkdir"): "the durable module itself",
    ("shared/fleetloop_shared/durable.py", ".chmod"): "the durable module itself",
    ("agent/fleetloop_agent/outbox.py", "sqlite3.connect"): _SQLITE,
    ("hub/fleetloop_hub/storage/telemetry_schema.py", "sqlite3.connect"): _SQLITE,
    ("hub/fleetloop_hub/notifying/queue.py", "sqlite3.connect"): _SQLITE,
    ("agent/fleetloop_agent/device/lock.py", "os.open"): _LOCK,
    ("hub/fleetloop_hub/storage/process_lock.py", "os.open"): _LOCK,
    ("hub/fleetloop_hub/storage/process_lock.py", "os.ftruncate"): _LOCK,
    ("hub/fleetloop_hub/storage/process_lock.py", "os.pwrite"): _LOCK,
    ("hub/fleetloop_hub/broker/process.py", ".open"): "what the broker prints, for people",
    ("hub/fleetloop_hub/child.py", ".open"): "what a job's libraries print, for people",
    ("hub/fleetloop_hub/training/__main__.py", ".open"): "how far a job is: of no use after a cut",
    ("hub/fleetloop_hub/data/__main__.py", ".open"): "how far a job is: of no use after a cut",
    ("hub/fleetloop_hub/data/process.py", "shutil.rmtree"): _JOB,
    ("hub/fleetloop_hub/simulating/desk.py", "shutil.rmtree"): _JOB,
    ("hub/fleetloop_hub/simulating/__main__.py", ".open"): _JOB,
    ("hub/fleetloop_hub/data/process.py", ".mkdir"): _JOB,
    ("hub/fleetloop_hub/data/process.py", ".open"): _JOB,
    ("hub/fleetloop_hub/data/build.py", ".mkdir"): _JOB,
    ("hub/fleetloop_hub/data/build.py", ".unlink"): _JOB,
    ("hub/fleetloop_hub/data/staging.py", "pyarrow.ipc.new_file"): _JOB,
    ("hub/fleetloop_hub/data/quarantine.py", "pyarrow.parquet.ParquetWriter"): _JOB,
    ("hub/fleetloop_hub/data/parquet.py", "pyarrow.parquet.ParquetWriter"): _JOB,
    ("hub/fleetloop_hub/data/finish.py", "pyarrow.parquet.write_table"): _JOB,
    ("hub/fleetloop_hub/scoring/outputs.py", ".open"): _ASKED,
    ("hub/fleetloop_hub/scoring/outputs.py", ".touch"): _ASKED,
    ("hub/fleetloop_hub/scoring/outputs.py", ".unlink"): _ASKED,
    ("hub/fleetloop_hub/scoring/outputs.py", "pyarrow.csv.CSVWriter"): _ASKED,
    ("hub/fleetloop_hub/scoring/outputs.py", "pyarrow.parquet.ParquetWriter"): _ASKED,
    ("agent/fleetloop_agent/serving/api.py", ".unlink"): _SOCKET,
    ("agent/fleetloop_agent/serving/api.py", ".chmod"): _SOCKET,
    ("agent/fleetloop_agent/trust/refresh.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("agent/fleetloop_agent/trust/refresh.py", ".write_bytes"): _SCRATCH,
    ("hub/fleetloop_hub/cli/spec.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("hub/fleetloop_hub/simulating/history.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("hub/fleetloop_hub/packaging/quantizing.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    (
        "hub/fleetloop_hub/packaging/quantizing.py",
        "onnxruntime.quantization.quantize_dynamic",
    ): _SCRATCH,
    (
        "hub/fleetloop_hub/packaging/quantizing.py",
        "onnxruntime.quantization.quantize_static",
    ): _SCRATCH,
    ("hub/fleetloop_hub/web/run_plots.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("hub/fleetloop_hub/tracking/mlflow_export.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("hub/fleetloop_hub/tracking/mlflow_export.py", ".mkdir"): _SCRATCH,
    ("hub/fleetloop_hub/tracking/mlflow_export.py", ".write_bytes"): _SCRATCH,
    ("hub/fleetloop_hub/validation/cost.py", "tempfile.TemporaryDirectory"): _SCRATCH,
    ("hub/fleetloop_hub/validation/cost.py", ".write_bytes"): _SCRATCH,
    ("hub/fleetloop_hub/validation/cost.py", "numpy.save"): _SCRATCH,
    ("hub/fleetloop_hub/validation/weigh.py", ".write_text"): "the kernel's switch in /proc",
    ("hub/fleetloop_hub/training/evaluation.py", "pyarrow.parquet.write_table"): _MEMORY,
    ("hub/fleetloop_hub/validation/labelled.py", "pyarrow.parquet.write_table"): _MEMORY,
    ("hub/fleetloop_hub/tracking/plots/style.py", ".savefig"): _MEMORY,
    ("hub/fleetloop_hub/tables/forms.py", ".truncate"): "cuts a text",
}
"""What may write besides: the file, what it uses, and why nothing is lost by it."""


@cache
def found_in() -> dict[tuple[str, str], list[int]]:
    """The lines of each place that writes."""
    found: dict[tuple[str, str], list[int]] = {}
    for part in PARTS:
        for path in sorted((ROOT / part).glob(f"fleetloop_{part}/**/*.py")):
            for line, what in writing_calls(path.read_text("utf-8")):
                found.setdefault((path.relative_to(ROOT).as_posix(), what), []).append(line)
    return found


def test_nothing_writes_but_the_durable_module_and_what_is_listed_here() -> None:
    unknown = [
        f"{file}:{lines} {what}"
        for (file, what), lines in found_in().items()
        if (file, what) not in EXCEPTIONS
    ]
    assert unknown == [], "write it through fleetloop_shared.durable, or list it with the reason"


def test_every_exception_is_of_use() -> None:
    assert set(EXCEPTIONS) - set(found_in()) == set()


def test_only_the_three_databases_and_the_durable_module_keep_what_lasts() -> None:
    lasting = {file for (file, _), why in EXCEPTIONS.items() if why in {_SQLITE, _LOCK}}
    assert len([f for f, what in EXCEPTIONS if what == "sqlite3.connect"]) == 3
    assert lasting == {
        "agent/fleetloop_agent/device/lock.py",
        "agent/fleetloop_agent/outbox.py",
        "hub/fleetloop_hub/notifying/queue.py",
        "hub/fleetloop_hub/storage/process_lock.py",
        "hub/fleetloop_hub/storage/telemetry_schema.py",
    }


def _use(name: str) -> str:
    module = name.rpartition(".")[0]
    return f"import {module}\n{name}(x)"


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_every_function_that_writes_is_found(name: str) -> None:
    assert [found.what for found in writing_calls(_use(name))] == [name]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_that_writes_is_found(name: str) -> None:
    assert [found.what for found in writing_calls(f"(folder / 'x').{name}(y)")] == [f".{name}"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("open(p, 'w')", "open"),
        ("open(p, mode='ab')", "open"),
        ("open(p, 'r+b')", "open"),
        ("open(p, how)", "open"),
        ("p.open('x')", ".open"),
        ("p.open(mode='w')", ".open"),
        ("p.open(mode=how)", ".open"),
        ("p.open(how, encoding='utf-8')", ".open"),
        ("self._path.open('wb')", ".open"),
        ("import gzip\ngzip.open(p, 'wt')", "gzip.open"),
        ("import io\nio.open(p, 'w')", "io.open"),
        ("import os\nos.open(p, os.O_RDWR)", "os.open"),
        ("import os\nos.open(p, flags)", "os.open"),
        ("import os\nos.open(p, flags=os.O_RDONLY | os.O_CREAT)", "os.open"),
        ("import os\nos.fdopen(n, 'w')", "os.fdopen"),
        ("p.replace(q)", ".replace"),
        ("Path(x).replace(Path(y))", ".replace"),
        ("import os as system\nsystem.unlink(p)", "os.unlink"),
        ("from os import rename as give\ngive(p, q)", "os.rename"),
        ("import pyarrow.parquet as pq\npq.write_table(t, p)", "pyarrow.parquet.write_table"),
        ("import os\ncleanup.callback(os.unlink, p)", "os.unlink"),
        ("cleanup.callback(p.unlink)", ".unlink"),
        ("import tempfile\ntempfile.mkdtemp()", "tempfile.mkdtemp"),
        ("from tempfile import NamedTemporaryFile as T\nT()", "tempfile.NamedTemporaryFile"),
    ],
)
def test_ways_of_writing_are_found(text: str, what: str) -> None:
    assert [found.what for found in writing_calls(text)] == [what]


@pytest.mark.parametrize(
    "text",
    [
        "open(p)",
        "open(p, 'rb')",
        "p.open()",
        "p.open('rb')",
        "p.open(encoding='utf-8', newline='')",
        "self._rollouts.open(cohort)",
        "trust.open(now, relied_on=True)",
        "import os\nos.open(p, os.O_RDONLY)",
        "import gzip\ngzip.open(p)",
        "text.replace('a', 'b')",
        "import msgspec\nmsgspec.structs.replace(x, at=1)",
        "from fleetloop_shared import durable\ndurable.replace(disk, p, data)",
        "from fleetloop_shared.durable import replace\nreplace(disk, p, data)",
        "now.replace(tzinfo=None)",
        "disk.write(p, data)",
        "sys.stdout.write(text)",
    ],
)
def test_what_does_not_write_is_left_alone(text: str) -> None:
    assert writing_calls(text) == []
