"""The catalog's files: what they look like, and what happens when they cannot be read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetloop_hub.errors import CatalogError
from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Alias
from fleetloop_hub.storage.catalog import TinyDbCatalog


def _written(folder: Path, *, aliases: int = 2) -> Path:
    catalog = TinyDbCatalog(folder)
    catalog.put(*[Alias(key=f"a{n}", version=n) for n in range(aliases)])
    catalog.close()
    return folder / "alias.json"


def test_each_kind_has_a_file_with_a_format(tmp_path: Path) -> None:
    catalog = TinyDbCatalog(tmp_path)
    catalog.put(Alias(key="rain/champion", version=3), Cohort(key="field", sequence=9))
    catalog.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "alias.json", "cohort.json"]
    assert json.loads((tmp_path / "alias.json").read_bytes()) == {
        "format": 1,
        "documents": {"1": {"key": "rain/champion", "version": 3}},
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"format": 1, "documents": {"1": {"key"',
        b'{"format": 1, "documents": {}}}}}',
        b'{"format": 1}',
        b'{"documents": {}}',
        b'{"format": "1", "documents": {}}',
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": 1, "documents": {"1": {"version": 3}}}',
        b'{"format": 1, "documents": {"one": {"key": "a"}}}',
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = _written(tmp_path)
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=r"alias\.json.*backup"):
        TinyDbCatalog(tmp_path)
    assert path.read_bytes() == content
    path.unlink()
    TinyDbCatalog(tmp_path).close()


@pytest.mark.parametrize("name", ["alias.json", ".journal"])
def test_a_file_of_a_newer_form_is_named_and_left_alone(tmp_path: Path, name: str) -> None:
    _written(tmp_path)
    newer = b'{"format": 2, "whatever": true}'
    (tmp_path / name).write_bytes(newer)
    with pytest.raises(CatalogError, match=rf"{name} has form 2.*version of the hub"):
        TinyDbCatalog(tmp_path)
    assert (tmp_path / name).read_bytes() == newer


def test_a_document_of_another_hub_is_named_when_it_is_wanted(tmp_path: Path) -> None:
    path = _written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":"one"'))
    catalog = TinyDbCatalog(tmp_path)
    assert catalog.find(Alias, "a0") == Alias(key="a0", version=0)
    with pytest.raises(CatalogError, match=r"alias\.json: 'a1'"):
        catalog.find(Alias, "a1")
    with pytest.raises(CatalogError, match=r"alias\.json: 'a1'"):
        catalog.all(Alias)
    catalog.close()


def test_another_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    catalog = TinyDbCatalog(tmp_path)
    catalog.put(Alias(key="a", version=1))
    program = (
        "import sys, pathlib; from fleetloop_hub.storage.catalog import TinyDbCatalog\n"
        "TinyDbCatalog(pathlib.Path(sys.argv[1]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert other.returncode != 0
    assert f"in use by process {os.getpid()}" in other.stderr
    assert catalog.find(Alias, "a") == Alias(key="a", version=1)
    catalog.close()


def test_what_a_killed_process_has_left_unfinished_is_no_document(tmp_path: Path) -> None:
    path = _written(tmp_path)
    path.with_name(".alias.json.part").write_bytes(b'{"format": 1, "docu')
    catalog = TinyDbCatalog(tmp_path)
    catalog.put(Alias(key="a0", version=7))
    assert len(catalog.all(Alias)) == 2
    catalog.close()
    assert not path.with_name(".alias.json.part").exists()


def test_files_are_only_their_owners(tmp_path: Path) -> None:
    assert _written(tmp_path).stat().st_mode & 0o077 == 0
