"""What console and tables say of versions that wait, were waived or rejected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from fleetloop_hub.records import VersionState
from fleetloop_hub.tables.versions import gates_table
from support.hubrecords import a_device, a_gate, a_version
from support.hubweb import WebHub, web_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as made:
        yield made


def test_the_table_tells_waived_and_shown_from_passed_and_failed() -> None:
    gates = [
        a_gate("one"),
        a_gate("two", passed=False),
        replace(a_gate("three", passed=False), waived=True),
        replace(a_gate("four"), judged=False, limit=None, value=None, low=None, high=None),
    ]
    console = Console(width=120, record=True)
    console.print(gates_table(gates))
    lines = [line.split() for line in console.export_text().splitlines()[1:]]
    assert [line[:2] for line in lines] == [
        ["one", "passed"],
        ["two", "failed"],
        ["three", "waived"],
        ["four", "shown"],
    ]


def test_the_console_says_what_a_waiting_version_waits_for(hub: WebHub) -> None:
    hub.catalog.put(a_device("station-1"), replace(a_version(2), state=VersionState.WAITING))
    page = hub.client().get("/").text
    assert "waits for a person" in page
    assert "fleetloop approve rain@2 --by NAME --reason TEXT" in page


def test_a_waived_gate_lets_through_and_a_rejected_version_is_named_so(hub: WebHub) -> None:
    waived = replace(a_gate("latency", passed=False), waived=True)
    hub.catalog.put(replace(a_version(2), gates=[a_gate(), waived], state=VersionState.REJECTED))
    page = hub.client().get("/").text
    assert "2 of 2 gates passed" in page
    assert "rejected" in page
