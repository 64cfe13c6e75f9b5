"""Fixtures that tests of several areas use."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.broker_port import Broker
from support import strace
from support.brokers import KINDS, Links, mosquitto_is_missing, start_broker

collect_ignore_glob = ["*/*_peers.py"]
"""They run in environments of their own, beside the libraries that benchmarks compare with."""

_MISSING = (
    "*** mosquitto is NOT installed: every test against it is SKIPPED.\n"
    "*** Install it with: apt-get install mosquitto"
)


_NO_STRACE = (
    "*** strace is NOT installed: every test that looks at system calls is SKIPPED.\n"
    "*** Install it with: apt-get install strace"
)


def _missing() -> list[str]:
    lacks = [(mosquitto_is_missing(), _MISSING), (strace.is_missing(), _NO_STRACE)]
    return [text for lacking, text in lacks if lacking]


def pytest_report_header() -> list[str]:
    return _missing()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in _missing():
        terminalreporter.write_line(text, red=True, bold=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: "e2e" not in item.keywords)


@pytest.fixture(autouse=True)
def log_goes_on() -> Iterator[None]:
    """A command that quiets its process quiets no test after its own."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=KINDS)
def broker_kind(request: pytest.FixtureRequest) -> str:
    """`nats` and then `mosquitto`, which skips where it is not installed."""
    kind = str(request.param)
    if kind == "mosquitto" and mosquitto_is_missing():
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    return kind


@pytest.fixture
def broker(broker_kind: str, tmp_path: Path) -> Iterator[Broker]:
    """A running broker of each kind, with the accounts of `support.brokers`."""
    running = start_broker(broker_kind, tmp_path / "broker")
    yield running
    running.stop()


@pytest.fixture
def links() -> Iterator[Links]:
    """Makes links, and stops them at the end of the test."""
    made = Links()
    yield made
    made.close()
